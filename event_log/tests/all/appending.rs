//! Order and safety of the append: dense positions, no skipped events, an immutable table, bounded events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use event_log::{EventLog, Expected, LogError, Position, Version, clock, verify};
use futures::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{ADVISORY_WAITS, World, eventually, new_command, tell};

const WRITERS: usize = 32;
const COMMANDS_EACH: i64 = 12;
const TOTAL: i64 = 32 * COMMANDS_EACH;
const ROUNDS: i64 = 60;

/// Reads the log like a projection and returns how many events it saw; a gap ends the test.
async fn follow(log: EventLog, done: Arc<AtomicBool>) -> i64 {
    let mut seen = 0;
    loop {
        let last_look = done.load(Ordering::SeqCst);
        let page = log.page(Position::new(seen), 1000).await.unwrap();
        if page.is_empty() && last_look {
            return seen;
        }
        for event in page {
            assert_eq!(event.position, seen + 1, "a reader by position skipped an event");
            seen = event.position.get();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appends_of_two_processes_leave_no_gap_and_no_reader_skips_an_event() {
    let world = World::new().await;
    let logs = [world.process().await, world.process().await];
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(follow(world.process().await, done.clone()));
    let acknowledged = Arc::new(AtomicI64::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let (log, acknowledged) = (logs[writer % 2].clone(), acknowledged.clone());
        tokio::spawn(async move {
            let jar = clock::new_id();
            for _ in 0..COMMANDS_EACH {
                let before = acknowledged.load(Ordering::SeqCst);
                let committed = tell(&log, jar, JarCommand::Put(1)).await.unwrap();
                assert!(committed.position > before, "what was acknowledged before has a lower position");
                acknowledged.fetch_max(committed.position.get(), Ordering::SeqCst);
            }
            assert_eq!(log.load::<Jar>(jar).await.unwrap().version, COMMANDS_EACH);
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    assert_eq!(reader.await.unwrap(), TOTAL);
    assert_eq!(world.number("SELECT count(*) FROM events").await, TOTAL);
    assert_eq!(acknowledged.load(Ordering::SeqCst), TOTAL);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_two_aggregates_are_read_in_the_order_in_which_they_happened() {
    let world = World::new().await;
    let log = world.process().await;
    let (a, b) = (clock::new_id(), clock::new_id());
    for (jar, coins) in [(a, 1), (b, 2), (a, 3), (b, 4)] {
        tell(&log, jar, JarCommand::Put(coins)).await.unwrap();
    }
    let page = log.page(Position::new(0), 10).await.unwrap();
    let read: Vec<(String, i64)> = page.iter().map(|e| (e.aggregate_id.clone(), e.sequence)).collect();
    let (a, b) = (a.to_string(), b.to_string());
    assert_eq!(read, [(a.clone(), 1), (b.clone(), 1), (a, 2), (b, 2)]);
    assert_eq!(log.page(Position::new(2), 1).await.unwrap()[0].position, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn update_delete_and_truncate_of_events_are_refused_by_the_database() {
    let world = World::new().await;
    let log = world.process().await;
    tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    for statement in ["UPDATE events SET owner_id = NULL", "DELETE FROM events", "TRUNCATE events"] {
        let refused = world.pool.execute(statement).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "23001", "{statement}: {refused}");
    }
    assert_eq!(world.number("SELECT count(*) FROM events").await, 1);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appending_is_refused_under_every_isolation_that_would_not_see_the_last_holders_commit() {
    let world = World::new().await;
    for (function, parameters) in [("append", 9), ("append_event", 16)] {
        let call = format!("SELECT {function}({})", vec!["NULL"; parameters].join(", "));
        for isolation in ["REPEATABLE READ", "SERIALIZABLE"] {
            let mut transaction = world.pool.begin().await.unwrap();
            let set = format!("SET TRANSACTION ISOLATION LEVEL {isolation}");
            transaction.execute(set.as_str()).await.unwrap();
            let refused = transaction.execute(call.as_str()).await.unwrap_err();
            assert!(
                refused.to_string().contains("READ COMMITTED only"),
                "{function}, {isolation}: {refused}"
            );
        }
    }
}

/// No constraint is broken by an event that follows one that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn append_event_stores_nothing_on_a_stream_that_is_not_as_long_as_it_expects() {
    let world = World::new().await;
    let append = |version: i64| {
        let call = format!(
            "SELECT append_event('{}', '{}', '', 'null', NULL, 'jar', '{}', {version}, '{}', 'Put', '1.0', \
             '{{}}', '{{}}', '', '', NULL)",
            Uuid::nil(),
            clock::new_id(),
            Uuid::nil(),
            clock::new_id()
        );
        let pool = world.pool.clone();
        async move {
            let position = sqlx::query_scalar::<_, i64>(&call).fetch_one(&pool).await;
            position.map_err(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
        }
    };
    assert_eq!(append(1).await, Err("RX002".to_owned()), "too short");
    assert_eq!(append(0).await, Ok(1));
    assert_eq!(append(0).await, Err("23505".to_owned()), "too long");
    assert_eq!(append(1).await, Ok(2));
    for table in ["events", "command_receipts"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, 2, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_256_kib_fits_and_one_byte_more_does_not() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    let frame = r#"{"text":"","type":"Filled"}"#.len();
    let text = |bytes: usize| "x".repeat(bytes - frame);
    tell(&log, jar, JarCommand::Fill(text(256 << 10))).await.unwrap();
    let refused = tell(&log, jar, JarCommand::Fill(text((256 << 10) + 1))).await.unwrap_err();
    let (one_too_many, limit) = ((256 << 10) + 1, 256 << 10);
    assert!(matches!(
        refused,
        Failure::Log(LogError::EventTooLarge { bytes, max_bytes }) if (bytes, max_bytes) == (one_too_many, limit)
    ));
    assert_eq!(world.events_of(jar).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_the_database_refuses_does_not_disturb_the_others_of_its_batch() {
    let world = World::new().await;
    let log = world.process().await;
    world.run("ALTER TABLE events ADD CONSTRAINT no_sevens CHECK (payload::text NOT LIKE '%777%')").await;
    // While the lock is held the first unit is in flight and all others queue up to be the next batch.
    let mut holder = PgConnection::connect_with(&log.pool().connect_options()).await.unwrap();
    holder.execute("SELECT pg_advisory_lock(7012025)").await.unwrap();
    let put = |log: &EventLog| {
        let log = log.clone();
        tokio::spawn(async move { tell(&log, clock::new_id(), JarCommand::Put(1)).await })
    };
    let mut small = vec![put(&log)];
    eventually("the first unit waits for the lock", || async { world.number(ADVISORY_WAITS).await == 1 })
        .await;
    small.extend((0..10).map(|_| put(&log)));
    let bad = {
        let log = log.clone();
        tokio::spawn(async move { tell(&log, clock::new_id(), JarCommand::Put(777)).await })
    };
    small.extend((0..10).map(|_| put(&log)));
    holder.close().await.unwrap();
    assert!(matches!(bad.await.unwrap(), Err(Failure::Log(LogError::Refused { .. }))));
    for unit in small {
        unit.await.unwrap().unwrap();
    }
    assert_eq!(world.number("SELECT count(*) FROM events").await, 21);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_who_follows_hears_of_the_last_position_after_the_commit() {
    let world = World::new().await;
    let log = world.process().await;
    let mut appended = log.appended();
    assert_eq!(log.head().await.unwrap(), 0);
    let committed = tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    appended.wait_for(|head| *head == committed.position).await.unwrap();
    assert_eq!(log.head().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_changes_nothing_is_no_event_and_tells_the_head() {
    let world = World::new().await;
    let log = world.process().await;
    tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    let nothing = tell(&log, clock::new_id(), JarCommand::Empty).await.unwrap();
    assert_eq!((nothing.position.get(), nothing.versions, nothing.events), (1, vec![Version::ZERO], vec![]));
    assert_eq!(world.number("SELECT count(*) FROM events").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_does_not_stop_a_command_half_way() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    let mut holder = PgConnection::connect_with(&log.pool().connect_options()).await.unwrap();
    holder.execute("SELECT pg_advisory_lock(7012025)").await.unwrap();
    let caller = {
        let log = log.clone();
        let unit = log.unit::<Failure>(new_command()).execute::<Jar>(jar, [JarCommand::Put(1)]);
        tokio::spawn(unit.commit())
    };
    eventually("the unit waits for the lock", || async { world.number(ADVISORY_WAITS).await == 1 }).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    holder.close().await.unwrap();
    eventually("the command is carried out", || async { world.events_of(jar).await == 1 }).await;
}

/// A single event goes by `append_event`, two by `append`.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_which_only_the_floor_is_left_goes_on_above_it() {
    for coins in [vec![1], vec![1, 2]] {
        let world = World::new().await;
        world.run("UPDATE log_identity SET floor_position = 41, floor_chain = sha256('archived')").await;
        let log = world.process().await;
        let last = 41 + i64::try_from(coins.len()).unwrap();
        assert_eq!(put(&log, clock::new_id(), coins).await, last);
        assert_eq!(verify(&world.pool, Expected::default()).await.unwrap().fault, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_never_fall_also_after_a_clock_that_ran_ahead() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    put(&log, jar, vec![1]).await;
    let ahead = "INSERT INTO events SELECT position + 1, aggregate_type, gen_random_uuid()::text, 1, event_type, \
         event_version, payload, metadata, gen_random_uuid(), owner_id, now() + interval '1 hour', chain, authentication \
         FROM events";
    world.run(ahead).await;
    put(&log, jar, vec![2]).await;
    assert_eq!(put(&log, jar, vec![3, 4]).await, 5);
    let falls = "SELECT count(*) FROM events AS e JOIN events AS n ON n.position = e.position + 1 \
         WHERE n.recorded_at < e.recorded_at";
    assert_eq!(world.number(falls).await, 0);
}

/// Whatever the planner thought of the log when it was short. Batches of one process alone go ahead; those of one
/// that is not go under the lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_reads_no_more_of_a_long_log_than_the_ends_of_its_streams() {
    for is_alone in [true, false] {
        let world = World::new().await;
        let (log, other) = (world.process().await, world.process().await);
        let jars: Vec<Uuid> = (0..WRITERS).map(|_| clock::new_id()).collect();
        for _ in 0..ROUNDS {
            for told in join_all(jars.iter().map(|jar| tell(&log, *jar, JarCommand::Put(1)))).await {
                told.unwrap();
            }
            if !is_alone {
                tell(&other, jars[0], JarCommand::Put(1)).await.unwrap();
            }
        }
        let events = world.number("SELECT count(*) FROM events").await;
        // A connection tells what it read when it ends.
        drop((log, other));
        let appenders = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE '%append_%' AND query NOT LIKE '%pg_stat_activity%'";
        eventually("they have ended", || async { world.number(appenders).await == 0 }).await;
        let read = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'events'";
        let read = world.number(read).await;
        assert!(read > events, "{read} entries were read for {events} events");
        assert!(read < 5 * events, "{read} entries were read for {events} events");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_write_in_turn_leave_one_chain() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    let mut last = 0;
    // In pairs, which go by `append`; alone, which go by `append_event` and leave the process without the end of the log.
    for (log, coins) in [
        (&here, 2),
        (&here, 2),
        (&there, 2),
        (&here, 2),
        (&here, 1),
        (&here, 2),
        (&here, 3),
        (&there, 1),
        (&here, 2),
    ] {
        last += i64::try_from(coins).unwrap();
        assert_eq!(put(log, jar, vec![1; coins]).await, last);
    }
    assert_eq!(verify(&world.pool, Expected::default()).await.unwrap().fault, None);
    world.assert_sound().await;
}

/// Puts coins into a jar in one unit, one event each, and returns the last position.
async fn put(log: &EventLog, jar: Uuid, coins: Vec<i64>) -> i64 {
    let puts = coins.into_iter().map(JarCommand::Put);
    (log.unit::<Failure>(new_command()).execute::<Jar>(jar, puts).commit().await.unwrap().position).get()
}
