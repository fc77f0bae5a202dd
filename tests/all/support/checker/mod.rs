//! Checks the invariants of an event-sourced system after a test, with code of its own: it reads the raw log,
//! JetStream, the read models and what clients were told, and shares nothing with `projections`.

mod checkpoints;
mod fold;
mod snapshots;
mod stored;
mod stream;
mod told;

pub use checkpoints::one_writer_per_epoch_moves_a_checkpoint;
pub use fold::ledgers_add_up;
pub use snapshots::equal_the_full_replay;
pub use stored::{Stored, read_log};
pub use stream::connect as jetstream;
pub use told::{
    a_key_has_one_answer, command_id, effects_stand_behind_their_causes, reads_have_seen_what_they_must,
    what_was_acknowledged_is_in_the_log,
};

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use super::told::Told;
use super::{PATIENCE, audit, eventually_within};

/// What one person's sockets received: the ids of all stored frames, over all reconnects, and from where on.
#[derive(Debug, Clone)]
pub struct Seen {
    pub user: Uuid,
    /// Frames with a higher position were to be received.
    pub after: i64,
    pub ids: Vec<i64>,
}

/// What a check went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    pub events: usize,
    pub acknowledged: usize,
    pub reads: usize,
    pub snapshots: usize,
}

/// Waits until the log, the stream and the read models have come to rest, then checks everything.
pub async fn check(pool: &PgPool, nats_url: &str, told: &Told, seen: &[Seen]) -> Checked {
    check_within(PATIENCE, (pool, nats_url), told, seen).await
}

/// Checks everything; rest may take as long as `patience` says. Every violation names its invariant.
pub async fn check_within(
    patience: Duration,
    (pool, nats_url): (&PgPool, &str),
    told: &Told,
    seen: &[Seen],
) -> Checked {
    at_rest(patience, pool).await;
    let log = read_log(pool).await;
    positions_and_sequences_are_dense(&log);
    the_chain_is_whole(&log);
    let (acknowledged, reads) = (told.acknowledged(), told.reads());
    what_was_acknowledged_is_in_the_log(&log, &acknowledged);
    effects_stand_behind_their_causes(&log, &acknowledged);
    stream::equals_the_log(nats_url, &log).await;
    a_command_id_has_one_effect(&log, &receipts(pool).await);
    a_key_has_one_answer(&log, &acknowledged, &told.refused());
    reads_have_seen_what_they_must(&log, &reads);
    one_writer_per_epoch_moves_a_checkpoint(&audit::moves(pool).await);
    ledgers_add_up(&log);
    fold::read_models_equal_the_fold(pool, &log).await;
    let snapshots = equal_the_full_replay(pool).await;
    for client in seen {
        every_public_event_was_seen_once(&log, client);
    }
    Checked { events: log.len(), acknowledged: acknowledged.len(), reads: reads.len(), snapshots }
}

/// No open work that is due, and every checkpoint at the end of the log.
pub async fn at_rest(patience: Duration, pool: &PgPool) {
    eventually_within(patience, "everything comes to rest", || async {
        let busy: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM work WHERE done_at IS NULL AND role <> 'timers') \
                  + (SELECT count(*) FROM checkpoints \
                     WHERE position < (SELECT coalesce(max(position), 0) FROM events)) \
                  + CASE WHEN (SELECT count(*) FROM checkpoints) < $1 THEN 1 ELSE 0 END",
        )
        .bind(i64::try_from(projections::all().len()).unwrap())
        .fetch_one(pool)
        .await
        .unwrap();
        (busy == 0).then_some(())
    })
    .await;
}

/// Positions are 1..n, and sequences 1..m within an aggregate.
pub fn positions_and_sequences_are_dense(log: &[Stored]) {
    let mut last: HashMap<(&str, &str), i64> = HashMap::new();
    for (expected, event) in (1..).zip(log) {
        assert_eq!(event.position, expected, "invariant 2: positions are dense");
        let sequence = last.entry((&event.aggregate, &event.id)).or_default();
        assert_eq!(
            event.sequence,
            *sequence + 1,
            "invariant 2: sequences are dense in {}/{}",
            event.aggregate,
            event.id
        );
        *sequence = event.sequence;
    }
}

/// Every event holds the hash of what was before it.
pub fn the_chain_is_whole(log: &[Stored]) {
    let mut previous = vec![0_u8; 32];
    for event in log {
        let mut digest = Sha256::new();
        for part in [
            event.aggregate.as_bytes(),
            event.id.as_bytes(),
            &event.sequence.to_be_bytes(),
            event.event.as_bytes(),
            event.version.as_bytes(),
            event.event_id.as_bytes(),
            event.payload_text.as_bytes(),
            event.metadata_text.as_bytes(),
            event.owner.as_ref().map_or(&[], |owner| owner.as_bytes().as_slice()),
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let link = Sha256::new()
            .chain_update(&previous)
            .chain_update(event.position.to_be_bytes())
            .chain_update(event.recorded_us.to_be_bytes())
            .chain_update(digest.finalize())
            .finalize()
            .to_vec();
        assert_eq!(link, event.chain, "invariant 2: the chain holds at {}", event.position);
        previous = link;
    }
}

/// Owner, command id, first and last position of a command.
pub type Receipt = (Uuid, Uuid, i64, i64);

async fn receipts(pool: &PgPool) -> Vec<Receipt> {
    sqlx::query_as("SELECT owner, command_id, first_position, last_position FROM command_receipts")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// All events of a command id stand together, where its receipt says, and no id has events elsewhere.
pub fn a_command_id_has_one_effect(log: &[Stored], receipts: &[Receipt]) {
    let effects = told::effects(log);
    assert_eq!(effects.len(), receipts.len(), "invariant 6: every command has one receipt");
    for (owner, command, first, last) in receipts {
        let positions = effects.get(&(*owner, *command)).expect("invariant 6: a receipt belongs to events");
        assert_eq!(
            *positions,
            (*first..=*last).collect::<Vec<_>>(),
            "invariant 6: command {command} has one effect"
        );
    }
}

/// The events that clients are shown. Kept here a second time on purpose.
pub fn is_public(event: &Stored) -> bool {
    match event.event.as_str() {
        "MessagePosted"
        | "AnalysisStarted"
        | "IntentAnalyzed"
        | "TemplatesMatched"
        | "GenerationCompleted"
        | "GenerationFailed"
        | "GenerationCancelled" => true,
        "AttemptStarted" => event.payload["number"] == 1,
        "CreditsHeld" => !event.payload["crossed_low"].is_null(),
        _ => false,
    }
}

/// A person's sockets were shown every public event once, in order.
pub fn every_public_event_was_seen_once(log: &[Stored], seen: &Seen) {
    let expected: Vec<i64> = log
        .iter()
        .filter(|event| event.owner == Some(seen.user) && event.position > seen.after && is_public(event))
        .map(|event| event.position)
        .collect();
    assert_eq!(seen.ids, expected, "invariant 11: user {} saw each public event once, in order", seen.user);
}

/// Whether a word stands anywhere in the events table or in JetStream.
pub async fn word_is_nowhere(pool: &PgPool, nats_url: &str, word: &str) {
    for event in read_log(pool).await {
        assert!(
            !event.payload_text.contains(word) && !event.metadata_text.contains(word),
            "{word} stands in event {} ({})",
            event.position,
            event.event
        );
    }
    stream::word_is_nowhere(nats_url, word).await;
}
