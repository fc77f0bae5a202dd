//! What is past its end goes, in batches; what is not stays.

use std::time::Duration;

use chrono::{DateTime, Utc};
use event_log::expired::{self, Expired, SweepLimits, Swept};
use event_log::{CommandContext, RECEIPT_DAYS, clock};

use crate::jar::JarCommand;
use crate::world::{World, command, tell_as};

const SMALL: SweepLimits = SweepLimits { rows_max: 2, blocks: 1, pause: Duration::ZERO };

fn in_days(days: i64) -> DateTime<Utc> {
    clock::now() + chrono::Duration::days(days)
}

fn receipts(rows: u64, batches: u64) -> Swept {
    Swept { expired: Expired::Receipts, rows, batches }
}

fn work(rows: u64, batches: u64) -> Swept {
    Swept { expired: Expired::Work, rows, batches }
}

/// Rows of work that were done so many hours ago, and as many that are open.
async fn add_work(world: &World, rows: u32, hours: u32) {
    let done = format!("clock_timestamp() - interval '{hours} hours'");
    for done_at in [done.as_str(), "NULL"] {
        let statement = format!(
            "INSERT INTO work (work_id, role, task, subject, position, cause, correlation_id, caused_at, due_at, done_at) \
             SELECT gen_random_uuid(), 'r', 't', 's', n, gen_random_uuid(), gen_random_uuid(), now(), now(), {done_at} \
             FROM generate_series(1, {rows}) AS n"
        );
        world.run(&statement).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_past_their_end_go_in_batches_and_the_others_stay() {
    let world = World::new().await;
    let log = world.process().await;
    for _ in 0..5 {
        tell_as(&log, command(clock::new_id()), clock::new_id(), JarCommand::Put(1)).await.unwrap();
    }
    let cause = clock::new_id();
    let endless = CommandContext::for_process("tests", cause, cause, None, "once");
    tell_as(&log, endless.clone(), clock::new_id(), JarCommand::Put(1)).await.unwrap();

    let early = expired::sweep(&world.pool, in_days(RECEIPT_DAYS - 1), SMALL).await.unwrap();
    assert_eq!(early, [receipts(0, 0), work(0, 0)]);
    let late = in_days(RECEIPT_DAYS + 1);
    assert_eq!(Expired::Receipts.count(&world.pool, late).await.unwrap(), 5);
    assert_eq!(world.number("SELECT count(*) FROM command_receipts").await, 6, "to count removes nothing");
    let swept = expired::sweep(&world.pool, late, SMALL).await.unwrap();
    assert_eq!(swept, [receipts(5, 3), work(0, 0)], "two rows are a batch");
    assert_eq!(world.number("SELECT count(*) FROM command_receipts").await, 1);
    assert!(log.first_outcome(&endless).await.unwrap().is_some(), "what has no end is not forgotten");
    assert_eq!(expired::sweep(&world.pool, late, SMALL).await.unwrap(), [receipts(0, 0), work(0, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_done_a_day_ago_goes_and_what_is_open_parked_or_just_done_stays() {
    let world = World::new().await;
    add_work(&world, 3, 25).await;
    add_work(&world, 4, 23).await;
    world
        .run("UPDATE work SET parked_at = now() - interval '1 year' WHERE done_at IS NULL AND position = 1")
        .await;
    let now = expired::now(&world.pool).await.unwrap();
    assert_eq!(Expired::Work.count(&world.pool, now).await.unwrap(), 3);
    assert_eq!(expired::sweep(&world.pool, now, SMALL).await.unwrap(), [receipts(0, 0), work(3, 2)]);
    assert_eq!(world.number("SELECT count(*) FROM work WHERE done_at IS NULL").await, 7);
    assert_eq!(world.number("SELECT count(*) FROM work WHERE done_at IS NOT NULL").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_many_blocks_are_all_found_and_two_sweeps_at_once_share_them() {
    let world = World::new().await;
    add_work(&world, 3000, 48).await;
    assert!(Expired::Work.blocks(&world.pool).await.unwrap() > 20);
    let now = expired::now(&world.pool).await.unwrap();
    let limits = SweepLimits { rows_max: 100, blocks: 7, pause: Duration::ZERO };
    let (one, other) =
        tokio::join!(expired::sweep(&world.pool, now, limits), expired::sweep(&world.pool, now, limits));
    // A row that the other one holds at that moment is passed over.
    let rows = one.unwrap()[1].rows + other.unwrap()[1].rows;
    assert_eq!(rows, 3000, "each row went once");
    assert_eq!(world.number("SELECT count(*) FROM work").await, 3000);
}
