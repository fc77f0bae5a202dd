//! The checker can fail: a log, a read model or a record that was tampered with violates the invariant that it
//! breaks, and no other test passes because a check looks away.

use std::collections::BTreeMap;

use event_log::clock;
use futures::FutureExt;
use serde_json::{Value, json};
use sqlx::{Executor, PgPool};
use uuid::Uuid;

use crate::support::audit::Move;
use crate::support::checker::{self, Seen, Stored};
use crate::support::eventually;
use crate::support::told::{Acknowledged, ReadBack};
use crate::support::world::World;

const OWNER: Uuid = Uuid::from_u128(7);

fn event(position: i64, event: &str, sequence: i64, (key, payload): (&str, Value)) -> Stored {
    let command = checker::command_id(OWNER, key);
    Stored {
        position,
        aggregate: "conversation".to_owned(),
        id: Uuid::from_u128(1).to_string(),
        sequence,
        event: event.to_owned(),
        version: "1".to_owned(),
        payload_text: payload.to_string(),
        payload,
        metadata_text: String::new(),
        metadata: json!({ "actor": format!("user:{OWNER}"), "command_id": command }),
        event_id: clock::new_id(),
        owner: Some(OWNER),
        recorded_us: 0,
        chain: vec![],
    }
}

/// A chat that is started and in which one thing is said.
fn log() -> Vec<Stored> {
    vec![
        event(1, "ConversationStarted", 1, ("start", json!({ "owner": OWNER }))),
        event(2, "MessagePosted", 2, ("say", json!({ "message_id": "m", "role": "user" }))),
    ]
}

fn acknowledged(key: &str, seen: i64, position: i64) -> Acknowledged {
    let key = Some(key.to_owned());
    Acknowledged { owner: OWNER, key, seen, position, status: 201, body: json!({ "position": position }) }
}

#[test]
fn an_untouched_log_violates_nothing() {
    let log = log();
    let told = [acknowledged("start", 0, 1), acknowledged("say", 1, 2), acknowledged("say", 1, 2)];
    checker::positions_and_sequences_are_dense(&log);
    checker::what_was_acknowledged_is_in_the_log(&log, &told);
    checker::effects_stand_behind_their_causes(&log, &told);
    checker::a_key_has_one_answer(&log, &told, &[(OWNER, "refused".to_owned())]);
    let receipts = [("start", 1), ("say", 2)]
        .map(|(key, position)| (OWNER, checker::command_id(OWNER, key), position, position));
    checker::a_command_id_has_one_effect(&log, &receipts);
    checker::every_public_event_was_seen_once(&log, &Seen { user: OWNER, after: 0, ids: vec![2] });
}

#[test]
#[should_panic(expected = "invariant 1")]
fn an_acknowledged_command_that_is_not_in_the_log_is_found() {
    checker::what_was_acknowledged_is_in_the_log(&log(), &[acknowledged("say", 0, 3)]);
}

#[test]
#[should_panic(expected = "invariant 1")]
fn an_acknowledged_position_that_holds_somebody_elses_event_is_found() {
    checker::what_was_acknowledged_is_in_the_log(&log(), &[acknowledged("lost", 0, 2)]);
}

#[test]
#[should_panic(expected = "invariant 2: positions")]
fn a_gap_in_the_positions_is_found() {
    checker::positions_and_sequences_are_dense(&log()[1..]);
}

#[test]
#[should_panic(expected = "invariant 2: sequences")]
fn a_gap_in_the_sequences_is_found() {
    let mut log = log();
    log[1].sequence = 3;
    checker::positions_and_sequences_are_dense(&log);
}

#[test]
#[should_panic(expected = "invariant 2: the chain")]
fn an_event_that_the_chain_does_not_cover_is_found() {
    checker::the_chain_is_whole(&log());
}

#[test]
#[should_panic(expected = "invariant 3")]
fn an_effect_before_its_cause_is_found() {
    checker::effects_stand_behind_their_causes(&log(), &[acknowledged("say", 2, 2)]);
}

#[test]
#[should_panic(expected = "invariant 6")]
fn a_command_with_two_effects_is_found() {
    let mut log = log();
    log.push(event(3, "MessagePosted", 3, ("say", json!({}))));
    let receipts = [("start", 1), ("say", 2)]
        .map(|(key, position)| (OWNER, checker::command_id(OWNER, key), position, position));
    checker::a_command_id_has_one_effect(&log, &receipts);
}

#[test]
#[should_panic(expected = "invariant 6")]
fn a_key_with_two_answers_is_found() {
    let mut other = acknowledged("say", 1, 2);
    other.body = json!({ "id": "another" });
    checker::a_key_has_one_answer(&log(), &[acknowledged("say", 1, 2), other], &[]);
}

#[test]
#[should_panic(expected = "invariant 6")]
fn a_refused_command_with_an_effect_is_found() {
    checker::a_key_has_one_answer(&log(), &[], &[(OWNER, "say".to_owned())]);
}

fn page(messages: &[&str]) -> ReadBack {
    let messages = messages.iter().map(|&message| message.to_owned()).collect();
    ReadBack { chat: Uuid::from_u128(1).to_string(), after: 2, messages, is_whole: true }
}

#[test]
#[should_panic(expected = "invariant 7")]
fn a_page_that_misses_what_it_must_have_seen_is_found() {
    checker::reads_have_seen_what_they_must(&log(), &[page(&["m"])]);
    checker::reads_have_seen_what_they_must(&log(), &[page(&[])]);
}

fn moved(old: (i64, i64), new: (i64, i64), process: &str) -> Move {
    Move {
        projection: "credits".to_owned(),
        old_position: Some(old.0),
        position: new.0,
        old_epoch: Some(old.1),
        epoch: new.1,
        process: process.to_owned(),
    }
}

#[test]
fn leaders_that_follow_each_other_violate_nothing() {
    let moves = [moved((0, 0), (0, 1), "a"), moved((0, 1), (5, 1), "a"), moved((5, 1), (5, 2), "b")];
    checker::one_writer_per_epoch_moves_a_checkpoint(&moves);
}

#[test]
#[should_panic(expected = "invariant 8: one process")]
fn two_nodes_running_one_projection_are_found() {
    let moves = [moved((0, 0), (5, 0), "a"), moved((5, 0), (6, 0), "b")];
    checker::one_writer_per_epoch_moves_a_checkpoint(&moves);
}

#[test]
#[should_panic(expected = "invariant 8: a checkpoint never falls")]
fn a_checkpoint_that_falls_is_found() {
    checker::one_writer_per_epoch_moves_a_checkpoint(&[
        moved((0, 0), (5, 0), "a"),
        moved((5, 0), (4, 0), "a"),
    ]);
}

#[test]
#[should_panic(expected = "invariant 8: a checkpoint moves from where it stands")]
fn a_checkpoint_moved_blindly_is_found() {
    checker::one_writer_per_epoch_moves_a_checkpoint(&[
        moved((0, 0), (5, 0), "a"),
        moved((4, 0), (9, 0), "a"),
    ]);
}

#[test]
#[should_panic(expected = "invariant 9")]
fn a_balance_that_does_not_follow_is_found() {
    let fields = json!({ "user_id": OWNER, "amount": 5, "balance_after": 6, "reason": "sign_up" });
    let mut granted = event(1, "CreditsGranted", 1, ("grant", fields));
    granted.aggregate = "credit_ledger".to_owned();
    checker::ledgers_add_up(&[granted]);
}

#[test]
#[should_panic(expected = "invariant 11")]
fn a_frame_that_came_twice_is_found() {
    checker::every_public_event_was_seen_once(&log(), &Seen { user: OWNER, after: 0, ids: vec![2, 2] });
}

const SWAP_ROLES: &str = "UPDATE messages SET role = CASE role WHEN 'user' THEN 'assistant' ELSE 'user' END";

/// What the whole check says of a world that was tampered with.
async fn verdict(world: &World) -> String {
    let check = std::panic::AssertUnwindSafe(world.check(&[])).catch_unwind().await;
    let Err(panic) = check else { return "nothing".to_owned() };
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

async fn change(pool: &PgPool, sql: &str) {
    // Triggers that protect rows look away.
    let mut connection = pool.acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    let changed = connection.execute(sql).await.unwrap().rows_affected();
    connection.execute("RESET session_replication_role").await.unwrap();
    assert!(changed > 0, "{sql} changes something");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_and_streams_that_were_tampered_with_are_found() {
    const MESSAGES: usize = 101;
    let mut world = World::start().await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    for n in 0..MESSAGES {
        user.say(&chat, &json!({ "type": "text", "content": format!("message {n}") })).await.expect(201);
    }
    let order = user.order("the one picture").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    assert_eq!(verdict(&world).await, "nothing");
    let there_and_back = BTreeMap::from([
        (
            "invariant 5",
            vec![
                ("UPDATE credit_balances SET held = held + 1", "UPDATE credit_balances SET held = held - 1"),
                (SWAP_ROLES, SWAP_ROLES),
                (
                    "UPDATE history SET sequence = -sequence WHERE position = 1",
                    "UPDATE history SET sequence = -sequence WHERE position = 1",
                ),
                (
                    "UPDATE generation_requests SET attempts = attempts + 1",
                    "UPDATE generation_requests SET attempts = attempts - 1",
                ),
            ],
        ),
        (
            "invariant 2",
            vec![(
                "UPDATE events SET recorded_at = recorded_at + interval '1 s' WHERE position = 3",
                "UPDATE events SET recorded_at = recorded_at - interval '1 s' WHERE position = 3",
            )],
        ),
        (
            "invariant 6",
            vec![(
                "UPDATE command_receipts SET last_position = last_position + 1",
                "UPDATE command_receipts SET last_position = last_position - 1",
            )],
        ),
    ]);
    for (invariant, changes) in there_and_back {
        for (there, back) in changes {
            change(&world.pool, there).await;
            let found = verdict(&world).await;
            assert!(found.contains(invariant), "after {there}: {found}");
            change(&world.pool, back).await;
        }
    }
    // The stream holds one message that is not the log's.
    let context = checker::jetstream(&world.surroundings.nats_url).await;
    let head = u64::try_from(world.head().await).unwrap();
    eventually("the stream is whole", || async {
        let stream = context.get_stream("ROUTIX_EVENTS").await.ok()?;
        (stream.cached_info().state.last_sequence == head).then_some(())
    })
    .await;
    // A relay would mend it.
    for worker in &mut world.workers {
        worker.kill().await;
    }
    context.publish("routix.events.note.Stray", "{}".into()).await.unwrap().await.unwrap();
    let found = verdict(&world).await;
    assert!(found.contains("NoMessageFound") || found.contains("invariant 4"), "{found}");
}
