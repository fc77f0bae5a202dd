//! Snapshots against the full replay: invariant 10.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;

use cqrs_es::Aggregate;
use domain::algorithm::Algorithm;
use domain::asset::Asset;
use domain::audit_trail::AuditTrail;
use domain::conversation::Conversation;
use domain::credit_ledger::CreditLedger;
use domain::generation_request::GenerationRequest;
use domain::session::Session;
use domain::stored_forms;
use domain::template::Template;
use domain::user::User;
use event_log::{EventForms, EventLog, LogOptions, MasterKey, OpenedEvent, Position};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::process::SECRET;

const PAGE_EVENTS: i64 = 1000;

type Streams = BTreeMap<(String, String), Vec<OpenedEvent>>;

/// A process that remembers nothing and knows the domain's forms: one that does not know them uses no snapshot.
async fn fresh_process(pool: &PgPool) -> EventLog {
    let event_forms = stored_forms().iter().fold(EventForms::default(), |known, forms| {
        known.with(forms.aggregate_type, forms.snapshot_form, forms.versions, forms.upcasters).unwrap()
    });
    let options = LogOptions { event_forms, ..LogOptions::default() };
    let keys = MasterKey::from_secret(SECRET.as_bytes()).unlock(pool).await.unwrap();
    EventLog::start(pool.clone(), &keys, &options)
}

/// Every stream that has a snapshot loads, in a process that remembers nothing, as what its events alone make
/// of it. Tells how many there are.
pub async fn equal_the_full_replay(pool: &PgPool) -> usize {
    let snapshots: Vec<(String, String, String)> =
        sqlx::query_as("SELECT aggregate_type, aggregate_id, schema_tag FROM snapshots")
            .fetch_all(pool)
            .await
            .unwrap();
    if snapshots.is_empty() {
        return 0;
    }
    let mut with_snapshot = Vec::new();
    for (aggregate, id, tag) in snapshots {
        let forms = stored_forms().into_iter().find(|forms| forms.aggregate_type == aggregate);
        let form = forms.map_or("unknown", |forms| forms.snapshot_form);
        assert_eq!(tag, format!("{aggregate}/{form}"), "invariant 10: a snapshot has today's form");
        with_snapshot.push((aggregate, id));
    }
    let log = fresh_process(pool).await;
    let streams = streams_of(&log, &with_snapshot.iter().cloned().collect()).await;
    for (stream, events) in &streams {
        let id = stream.1.parse().unwrap();
        match stream.0.as_str() {
            AuditTrail::TYPE => compare::<AuditTrail>(&log, id, events).await,
            Conversation::TYPE => compare::<Conversation>(&log, id, events).await,
            CreditLedger::TYPE => compare::<CreditLedger>(&log, id, events).await,
            GenerationRequest::TYPE => compare::<GenerationRequest>(&log, id, events).await,
            User::TYPE => compare::<User>(&log, id, events).await,
            Session::TYPE => compare::<Session>(&log, id, events).await,
            Algorithm::TYPE => compare::<Algorithm>(&log, id, events).await,
            Template::TYPE => compare::<Template>(&log, id, events).await,
            Asset::TYPE => compare::<Asset>(&log, id, events).await,
            other => panic!("invariant 10: a snapshot of an unknown aggregate {other}"),
        }
    }
    assert_eq!(streams.len(), with_snapshot.len(), "invariant 10: every snapshot belongs to a stream");
    with_snapshot.len()
}

async fn streams_of(log: &EventLog, wanted: &HashSet<(String, String)>) -> Streams {
    let mut streams = Streams::new();
    let mut after = 0;
    loop {
        let page = log.page(Position::new(after), PAGE_EVENTS).await.unwrap();
        let Some(last) = page.last() else { return streams };
        after = last.position.get();
        for event in page {
            let stream = (event.aggregate_type.clone(), event.aggregate_id.clone());
            if wanted.contains(&stream) {
                streams.entry(stream).or_default().push(log.open(event.into()).await.unwrap());
            }
        }
    }
}

async fn compare<A: Aggregate + Clone + PartialEq + Debug + 'static>(
    log: &EventLog,
    id: Uuid,
    events: &[OpenedEvent],
) {
    let mut replayed = A::default();
    for event in events {
        replayed.apply(event.parse().unwrap());
    }
    let loaded = log.load::<A>(id).await.unwrap();
    assert_eq!(
        usize::try_from(loaded.version.get()).unwrap(),
        events.len(),
        "invariant 10: {}/{id} is loaded to its end",
        A::TYPE
    );
    assert_eq!(
        loaded.state,
        replayed,
        "invariant 10: the snapshot of {}/{id} equals the full replay",
        A::TYPE
    );
}
