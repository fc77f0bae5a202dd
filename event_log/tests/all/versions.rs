//! Events of older forms: they load for ever, step by step; those of newer forms are not guessed.

use std::sync::Arc;

use event_log::{
    EventForms, EventLog, LogError, LogOptions, MasterKey, OpenedEvent, Position, Upcaster, clock,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand, JarEvent};
use crate::world::{SECRET, World, new_command, tell};

const VERSIONS: &[(&str, &str)] =
    &[("CoinsPut", "1.0"), ("CoinsTaken", "1.0"), ("NoteLeft", "1.0"), ("Filled", "1.0")];

/// In 0.8 a jar counted in cents.
fn cents_are_coins(mut event: Value) -> Value {
    let cents = event["cents"].as_i64().unwrap_or_default();
    event["coins"] = Value::from(cents / 100);
    event
}

/// In 0.9 the number was called `coins`.
fn coins_are_an_amount(mut event: Value) -> Value {
    event["amount"] = event["coins"].take();
    event
}

/// In 0.9 a note was kept in a list.
fn the_first_note_is_the_note(mut event: Value) -> Value {
    event["note"] = event["notes"][0].take();
    event
}

const STEPS: [Upcaster; 3] = [
    Upcaster { event_type: "CoinsPut", from_version: "0.9", to_version: "1.0", upcast: coins_are_an_amount },
    Upcaster { event_type: "CoinsPut", from_version: "0.8", to_version: "0.9", upcast: cents_are_coins },
    Upcaster {
        event_type: "NoteLeft",
        from_version: "0.9",
        to_version: "1.0",
        upcast: the_first_note_is_the_note,
    },
];

impl World {
    /// A process that knows the forms of a jar's events.
    async fn todays_process(&self) -> EventLog {
        let event_forms = EventForms::default().with("jar", "1", VERSIONS, &STEPS).unwrap();
        let options = LogOptions { event_forms, ..LogOptions::default() };
        let keys = MasterKey::from_secret(SECRET).unlock(&self.pool).await.unwrap();
        EventLog::start(self.pool.clone(), &keys, &options)
    }

    /// What a program of another day wrote.
    async fn store(&self, jar: Uuid, (event_type, version): (&str, &str), payload: Value) {
        let statement = "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, \
                 event_version, payload, metadata, event_id, owner_id, recorded_at, chain, authentication) \
             SELECT coalesce(max(position), 0) + 1, 'jar', $1, \
                    count(*) FILTER (WHERE aggregate_id = $1) + 1, $2, $3, $4::json, '{}', $5, NULL, now(), '', '' \
             FROM events";
        let done = sqlx::query(statement)
            .bind(jar.to_string())
            .bind(event_type)
            .bind(version)
            .bind(payload.to_string())
            .bind(clock::new_id())
            .execute(&self.pool)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
        self.authenticate().await;
    }

    async fn opened(&self, log: &EventLog) -> Vec<Result<OpenedEvent, LogError>> {
        let mut opened = Vec::new();
        for event in log.page(Position::new(0), 1000).await.unwrap() {
            opened.push(log.open(Arc::new(event)).await);
        }
        opened
    }
}

/// A jar that began two programs ago.
async fn an_old_jar(world: &World) -> Uuid {
    let jar = clock::new_id();
    let note = json!("old words");
    world.store(jar, ("CoinsPut", "0.8"), json!({ "type": "CoinsPut", "cents": 500 })).await;
    world.store(jar, ("CoinsPut", "0.9"), json!({ "type": "CoinsPut", "coins": 7 })).await;
    world.store(jar, ("NoteLeft", "0.9"), json!({ "type": "NoteLeft", "notes": [note] })).await;
    world.store(jar, ("CoinsTaken", "1.0"), json!({ "type": "CoinsTaken", "amount": 2 })).await;
    jar
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_event_of_every_version_loads() {
    let world = World::new().await;
    let jar = an_old_jar(&world).await;
    let log = world.todays_process().await;
    let loaded = log.load::<Jar>(jar).await.unwrap();
    let note = json!("old words");
    assert_eq!((loaded.state.coins, loaded.version.get()), (10, 4));
    assert_eq!(loaded.state.notes, std::slice::from_ref(&note));
    let events: Vec<JarEvent> =
        world.opened(&log).await.into_iter().map(|event| event.unwrap().parse().unwrap()).collect();
    assert_eq!(
        events,
        [
            JarEvent::CoinsPut { amount: 5 },
            JarEvent::CoinsPut { amount: 7 },
            JarEvent::NoteLeft { note },
            JarEvent::CoinsTaken { amount: 2 },
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_stream_goes_on_and_its_tail_and_snapshot_are_those_of_the_whole() {
    let world = World::new().await;
    let jar = an_old_jar(&world).await;
    let log = world.todays_process().await;
    assert!(tell(&log, jar, JarCommand::Take(11)).await.is_err(), "there are ten");
    tell(&log, jar, JarCommand::Take(10)).await.unwrap();
    // An old program is still at work: what it writes is the tail of a state that is remembered here.
    world.store(jar, ("CoinsPut", "0.9"), json!({ "type": "CoinsPut", "coins": 30 })).await;
    assert_eq!(log.load::<Jar>(jar).await.unwrap().state.coins, 30);
    let many = (0..120).map(|_| JarCommand::Put(1));
    log.unit::<Failure>(new_command()).execute::<Jar>(jar, many).commit().await.unwrap();
    let of_the_form = "SELECT count(*) FROM snapshots WHERE schema_tag = 'jar/1'";
    assert_eq!(world.number(of_the_form).await, 1);
    world.store(jar, ("CoinsPut", "0.8"), json!({ "type": "CoinsPut", "cents": 200 })).await;
    let by_snapshot = world.todays_process().await.load::<Jar>(jar).await.unwrap();
    world.run("DELETE FROM snapshots").await;
    let replayed = world.todays_process().await.load::<Jar>(jar).await.unwrap();
    assert_eq!((replayed.state.coins, replayed.version.get()), (152, 127));
    assert_eq!((by_snapshot.state, by_snapshot.version), (replayed.state, replayed.version));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_than_the_program_knows_is_not_guessed() {
    let world = World::new().await;
    // It would parse: only its version tells that the number means something else now.
    let newer = json!({ "type": "CoinsPut", "amount": 5 });
    for (jar, version) in [(clock::new_id(), "1.1"), (clock::new_id(), "0.7"), (clock::new_id(), "")] {
        world.store(jar, ("CoinsPut", version), newer.clone()).await;
        let log = world.todays_process().await;
        let refused = log.load::<Jar>(jar).await.unwrap_err();
        assert!(
            matches!(&refused, LogError::Unreadable { reason, .. } if reason.contains(version)),
            "{refused}"
        );
        let refused = world.opened(&log).await.pop().unwrap().unwrap_err();
        assert!(matches!(refused, LogError::Unreadable { .. }), "{refused}");
        assert!(
            tell(&log, jar, JarCommand::Put(1)).await.is_err(),
            "nothing is decided on what is not known"
        );
    }
    let jar = clock::new_id();
    world.store(jar, ("LidLost", "1.0"), json!({ "type": "LidLost" })).await;
    let log = world.todays_process().await;
    assert!(matches!(world.opened(&log).await.pop().unwrap(), Err(LogError::Unreadable { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_event_behind_a_remembered_state_is_not_guessed_either() {
    let world = World::new().await;
    let log = world.todays_process().await;
    let jar = clock::new_id();
    tell(&log, jar, JarCommand::Put(1)).await.unwrap();
    world.store(jar, ("CoinsPut", "2.0"), json!({ "type": "CoinsPut", "amount": 1 })).await;
    let refused = log.load::<Jar>(jar).await.unwrap_err();
    assert!(matches!(refused, LogError::Unreadable { .. }), "{refused}");
}

#[test]
fn an_upcaster_that_leads_nowhere_is_refused_at_the_start() {
    let step = |from_version, to_version| Upcaster {
        event_type: "CoinsPut",
        from_version,
        to_version,
        upcast: coins_are_an_amount,
    };
    let refused = |steps: &[Upcaster]| EventForms::default().with("jar", "1", VERSIONS, steps).is_err();
    assert!(refused(&[step("0.8", "0.9")]), "the way ends");
    assert!(refused(&[step("0.8", "0.9"), step("0.9", "0.8")]), "the way is a circle");
    assert!(refused(&[step("0.9", "1.0"), step("0.9", "0.8")]), "the way forks");
    assert!(refused(&[step("1.0", "1.1")]), "today's form is not raised");
    assert!(refused(&[Upcaster { event_type: "LidLost", ..step("0.9", "1.0") }]), "there is no such event");
    assert!(!refused(&[step("0.8", "0.9"), step("0.9", "1.0")]));
}
