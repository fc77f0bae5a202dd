//! Rows that fail for ever: each role gives a row a bounded number of tries, and a parked row is in nobody's way. A row
//! that comes back late has no second effect.

use std::time::Duration;

use commands::AlgorithmRef;
use commands::process::Pace;
use domain::reactions::Role;
use domain::{ConversationId, UserId};
use event_log::expired::{self, SweepLimits};
use event_log::work;
use testing::{World, command_of, eventually};
use uuid::Uuid;

use crate::conversation::{chatting, text};

/// Nobody can be offered an algorithm.
const BREAK: &str = "ALTER TABLE generation_algorithms RENAME TO away";
const MEND: &str = "ALTER TABLE away RENAME TO generation_algorithms";

/// Fails three times without a pause.
fn quick(role: Role) -> Pace {
    Pace { tries_max: 3, delay_min: Duration::ZERO, ..Pace::of(role) }
}

/// A chat whose first wish waits for an answer, and an algorithm to choose.
async fn wishing(world: &World) -> (UserId, ConversationId, AlgorithmRef) {
    let (own, algorithm) = (chatting(world).await, world.algorithm(1).await);
    eventually("the read models have both", async || {
        let behind = "SELECT count(*) FROM checkpoints WHERE position < (SELECT max(position) FROM events)";
        world.number(behind).await == 0
    })
    .await;
    (own.0, own.1, AlgorithmRef::Id(algorithm))
}

async fn wish(world: &World, own: (UserId, ConversationId)) {
    world.commands.post_text(command_of(own.0), own, text("a cat")).await.unwrap();
    eventually("the work is there", async || world.number("SELECT count(*) FROM work").await == 1).await;
}

async fn said(world: &World, kind: &str) -> i64 {
    let spoken = "SELECT count(*) FROM events WHERE event_type = 'MessagePosted' \
         AND payload::jsonb #>> '{body,kind}' =";
    world.number(&format!("{spoken} '{kind}'")).await
}

async fn parked(world: &World) -> Vec<work::ParkedWork> {
    work::list_parked(world.pool(), None, 10).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_always_fails_is_parked_and_the_later_ones_of_its_chat_are_answered() {
    let world = World::with_projections().await;
    let (user, chat, algorithm) = wishing(&world).await;
    wish(&world, (user, chat)).await;
    world.run(BREAK).await;
    let worker = world.work_at(quick(Role::Assistant), Role::Assistant);
    eventually("the row is parked", async || parked(&world).await.len() == 1).await;
    let row = parked(&world).await.remove(0);
    assert_eq!((row.task.as_str(), row.attempts, row.subject), ("offer_algorithms", 3, chat.to_string()));
    assert_ne!(row.reason, "");

    let choose = world.commands.choose_algorithm(command_of(user), (user, chat), &algorithm, text("Fast"));
    choose.await.unwrap();
    eventually("the next message is answered", async || said(&world, "upload_request").await == 1).await;
    assert_eq!(said(&world, "algorithm_select").await, 0);

    world.run(MEND).await;
    assert!(work::retry_parked(world.pool(), row.work_id).await.unwrap());
    eventually("the first one is answered too", async || said(&world, "algorithm_select").await == 1).await;
    worker.stop().await;
    assert_eq!(parked(&world).await, []);
    let open = "SELECT count(*) FROM work WHERE role = 'assistant' AND done_at IS NULL";
    assert_eq!(world.number(open).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_read_model_is_behind_is_tried_until_it_has_come_far_enough() {
    let world = World::with_projections().await;
    let (user, chat, _) = wishing(&world).await;
    let lagging = world.begin("SELECT 1 FROM checkpoints WHERE projection = 'algorithms' FOR UPDATE").await;
    wish(&world, (user, chat)).await;
    let worker = world.work_at(Pace { tries_max: 1, ..quick(Role::Assistant) }, Role::Assistant);
    eventually("it was tried in vain", async || {
        world.number("SELECT count(*) FROM work WHERE last_error LIKE '%behind%'").await == 1
    })
    .await;
    assert_eq!(parked(&world).await, []);
    lagging.rollback().await.unwrap();
    eventually("it is answered", async || said(&world, "algorithm_select").await == 1).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_takes_its_workers_down_with_it_is_parked_without_another_try() {
    let world = World::with_projections().await;
    let (user, chat, _) = wishing(&world).await;
    wish(&world, (user, chat)).await;
    // Workers claimed it and were never heard of again.
    world.run("UPDATE work SET attempts = 3, fence = 3").await;
    let worker = world.work_at(quick(Role::Assistant), Role::Assistant);
    eventually("the row is parked", async || parked(&world).await.len() == 1).await;
    worker.stop().await;
    assert_eq!(said(&world, "algorithm_select").await, 0, "it was not tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_failing_fails_is_parked_and_a_retry_ends_it() {
    let world = World::with_projections().await;
    let (_, request) = crate::generation_request::ordered(&world).await;
    eventually("the work is there", async || world.number("SELECT count(*) FROM work").await == 2).await;
    world.run("ALTER TABLE events RENAME TO events_away").await;
    let worker = world.work_at(quick(Role::Generation), Role::Generation);
    eventually("the row is parked", async || parked(&world).await.len() == 1).await;
    world.run("ALTER TABLE events_away RENAME TO events").await;
    let row: Uuid = parked(&world).await[0].work_id;
    assert!(work::retry_parked(world.pool(), row).await.unwrap());
    eventually("the picture is there", async || {
        let drawn = format!(
            "SELECT count(*) FROM events WHERE event_type = 'GenerationCompleted' AND aggregate_id = '{request}'"
        );
        world.number(&drawn).await == 1
    })
    .await;
    worker.stop().await;
}

/// All rows of work are parked, 31 days after their causes; the clean-up took every receipt that had an end.
async fn a_month_later(world: &World) {
    world
        .run(
            "UPDATE work SET parked_at = clock_timestamp(), done_at = NULL, \
             caused_at = caused_at - interval '31 days'",
        )
        .await;
    let later = expired::now(world.pool()).await.unwrap() + Duration::from_hours(24 * 31);
    expired::sweep(world.pool(), later, SweepLimits::default()).await.unwrap();
    let ending = "SELECT count(*) FROM command_receipts WHERE expires_at IS NOT NULL";
    assert_eq!(world.number(ending).await, 0);
}

/// Has every parked row done again, and waits until they are.
async fn retry_all(world: &World, role: Role) {
    for row in parked(world).await {
        assert!(work::retry_parked(world.pool(), row.work_id).await.unwrap());
    }
    let worker = world.work(role);
    let open = format!("SELECT count(*) FROM work WHERE role = '{}' AND done_at IS NULL", role.name());
    eventually("the rows are done", async || world.number(&open).await == 0).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_row_comes_back_after_its_receipt_is_gone_is_not_answered_again() {
    let world = World::with_projections().await;
    let (user, chat, _) = wishing(&world).await;
    wish(&world, (user, chat)).await;
    let worker = world.work(Role::Assistant);
    eventually("it is answered", async || said(&world, "algorithm_select").await == 1).await;
    worker.stop().await;
    a_month_later(&world).await;
    let events = world.events().await;
    retry_all(&world, Role::Assistant).await;
    assert_eq!(world.events().await, events, "nobody was answered a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_rows_come_back_after_their_receipts_are_gone_is_neither_drawn_nor_ended_again() {
    let world = World::with_projections().await;
    crate::generation_request::ordered(&world).await;
    let worker = world.work(Role::Generation);
    let drawn = "SELECT count(*) FROM events WHERE event_type = 'GenerationCompleted'";
    eventually("the picture is there", async || world.number(drawn).await == 1).await;
    worker.stop().await;
    a_month_later(&world).await;
    let events = world.events().await;
    for role in [Role::Generation, Role::Timers] {
        retry_all(&world, role).await;
    }
    assert_eq!(world.events().await, events);
    assert_eq!(world.generator.calls().len(), 1, "nobody is paid a second time");
}
