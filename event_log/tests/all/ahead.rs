//! Batches that are sent while the one before is still under way: taken only where they belong, and in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use event_log::{EventLog, clock};
use futures::future::join_all;
use sqlx::{Executor, PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::jar::{Jar, JarCommand};
use crate::world::{ADVISORY_WAITS, World, command, eventually, new_command, tell, tell_as};

const CALLERS: usize = 48;
const CUTS: usize = 5;
const TURNS: i64 = 30;

/// One event to a jar of its own, as what follows a certain one. SQL, so that a case can say what is wrong.
#[derive(Clone, Copy)]
struct Next<'a> {
    tip: &'a str,
    tip_chain: &'a str,
    at: &'a str,
    link: &'a str,
    version: i64,
    /// A stream that is expected at this version and not written to.
    beside: Option<(Uuid, i64)>,
}

const NEXT: Next<'static> = Next {
    tip: "(SELECT max(position) FROM events)",
    tip_chain: "(SELECT chain FROM events ORDER BY position DESC LIMIT 1)",
    at: "clock_timestamp()",
    link: "sha256('a link')",
    version: 0,
    beside: None,
};

impl Next<'_> {
    fn call(&self) -> String {
        let (jar, version) = (clock::new_id(), self.version);
        let beside = match self.beside {
            None => String::new(),
            Some((other, at)) => format!(", ROW(1, 'jar', '{other}', {at}, false)::expected_stream"),
        };
        format!(
            "SELECT base IS NOT NULL FROM append(\
             ARRAY[ROW('{nil}', '{command}', '', 'null', NULL, 1, 1)::new_unit], \
             ARRAY[ROW(1, 'jar', '{jar}', {version}, true)::expected_stream{beside}], \
             ARRAY[ROW('jar', '{jar}', {sequence}, 'Put', '1.0', '{{}}', '{{}}', '{event}', NULL, '', '')::new_event], \
             '{{}}', '{{}}', {tip}, {tip_chain}, {at}, ARRAY[{link}])",
            nil = Uuid::nil(),
            command = clock::new_id(),
            event = clock::new_id(),
            sequence = version + 1,
            tip = self.tip,
            tip_chain = self.tip_chain,
            at = self.at,
            link = self.link,
        )
    }

    async fn append(&self, connection: &mut PgConnection) -> Result<bool, String> {
        let call = self.call();
        sqlx::query_scalar(&call).fetch_one(connection).await.map_err(|error| error.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_ahead_only_behind_the_event_that_it_names_and_leaves_nothing_elsewhere() {
    let world = World::new().await;
    let (log, jar) = (world.process().await, clock::new_id());
    for _ in 0..2 {
        tell(&log, jar, JarCommand::Put(1)).await.unwrap();
    }
    let mut connection = world.pool.acquire().await.unwrap();
    assert_eq!(NEXT.append(&mut connection).await, Ok(true));
    assert_eq!(Next { beside: Some((jar, 2)), ..NEXT }.append(&mut connection).await, Ok(true));
    let stored = world.number("SELECT count(*) FROM events").await;
    assert_eq!(stored, 4);
    let (before, no_event) =
        ("(SELECT max(position) - 1 FROM events)", "(SELECT max(position) + 7 FROM events)");
    let earlier = "(SELECT max(recorded_at) - interval '1 microsecond' FROM events)";
    for (next, why) in [
        (Next { tip: before, ..NEXT }, "events_pkey"),
        (Next { tip: no_event, ..NEXT }, "the log does not end"),
        (Next { tip_chain: "sha256('another log')", ..NEXT }, "the log does not end"),
        (Next { at: earlier, ..NEXT }, "the log does not end"),
        (Next { at: "clock_timestamp() + interval '2 seconds'", ..NEXT }, "the log does not end"),
        (Next { version: 3, ..NEXT }, "a stream is not at the version"),
        (Next { beside: Some((jar, 1)), ..NEXT }, "a stream is not at the version"),
        (Next { beside: Some((jar, 3)), ..NEXT }, "a stream is not at the version"),
    ] {
        let refused = next.append(&mut connection).await.unwrap_err();
        assert!(refused.contains(why), "{refused} is not: {why}");
    }
    for table in ["events", "command_receipts"] {
        assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, stored, "{table}");
    }
}

/// The second of two batches is there first, and waits. Tells what became of it once `end` was said to the first.
async fn second_after(world: &World, end: &str) -> Result<bool, String> {
    tell(&world.process().await, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    let mut first = world.pool.acquire().await.unwrap();
    first.execute("BEGIN").await.unwrap();
    let link = "sha256('the first of two')";
    assert_eq!(Next { link, ..NEXT }.append(&mut first).await, Ok(true));
    let second = spawn(&world.pool, Next { tip: "2", tip_chain: link, ..NEXT });
    eventually("the second waits", || async { world.number(ADVISORY_WAITS).await == 1 }).await;
    assert_eq!(world.number("SELECT max(position) FROM events").await, 1, "neither is to be seen");
    first.execute(end).await.unwrap();
    second.await.unwrap()
}

fn spawn(pool: &PgPool, next: Next<'static>) -> JoinHandle<Result<bool, String>> {
    let pool = pool.clone();
    tokio::spawn(async move { next.append(&mut pool.acquire().await.unwrap()).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_waits_for_the_one_before_and_falls_with_it() {
    let world = World::new().await;
    assert_eq!(second_after(&world, "COMMIT").await, Ok(true));
    assert_eq!(world.number("SELECT max(position) FROM events").await, 3);
    let world = World::new().await;
    let refused = second_after(&world, "ROLLBACK").await.unwrap_err();
    assert!(refused.contains("the log does not end at 2"), "{refused}");
    assert_eq!(world.number("SELECT max(position) FROM events").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_batch_goes_ahead_of_somebody_who_has_the_lock_of_the_log_or_waits_for_it() {
    let world = World::new().await;
    tell(&world.process().await, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    let mut ahead = world.pool.acquire().await.unwrap();
    ahead.execute("BEGIN").await.unwrap();
    assert_eq!(NEXT.append(&mut ahead).await, Ok(true));
    let locked = tokio::spawn({
        let pool = world.pool.clone();
        async move {
            let mut other = pool.acquire().await.unwrap();
            other.execute("SELECT pg_advisory_lock(7012025)").await.unwrap();
            other
        }
    });
    eventually("somebody waits for the lock", || async { world.number(ADVISORY_WAITS).await == 1 }).await;
    let mut late = world.pool.acquire().await.unwrap();
    assert_eq!(NEXT.append(&mut late).await, Ok(false), "somebody waits");
    ahead.execute("COMMIT").await.unwrap();
    let mut locked = locked.await.unwrap();
    assert_eq!(NEXT.append(&mut late).await, Ok(false), "somebody has it");
    locked.execute("SELECT pg_advisory_unlock(7012025)").await.unwrap();
    assert_eq!(NEXT.append(&mut late).await, Ok(true));
    assert_eq!(world.number("SELECT max(position) FROM events").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_many_callers_go_ahead_and_another_process_still_gets_its_turns() {
    let world = World::new().await;
    let (many, other) = (world.process().await, world.process().await);
    let done = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|_| {
        let (log, done) = (many.clone(), done.clone());
        tokio::spawn(async move {
            let jar = clock::new_id();
            let mut last = new_command();
            let mut stored = 0;
            while !done.load(Ordering::SeqCst) {
                let committed = tell_as(&log, last.clone(), jar, JarCommand::Put(1)).await.unwrap();
                stored += 1;
                assert_eq!(committed.versions, [stored]);
                if stored % 5 == 0 {
                    // What is said twice is refused where it goes ahead, and answered all the same.
                    let again = tell_as(&log, last, jar, JarCommand::Put(1)).await.unwrap();
                    assert_eq!(again.position, committed.position);
                }
                last = command(clock::new_id());
            }
            (jar, stored)
        })
    });
    let callers: Vec<_> = callers.collect();
    let jar = clock::new_id();
    for turn in 1..=TURNS {
        assert_eq!(tell(&other, jar, JarCommand::Put(1)).await.unwrap().versions, [turn]);
        if turn % 10 == 0 {
            // Left alone, the many go ahead.
            let head = other.head().await.unwrap();
            eventually("the others go on", || async { other.head().await.unwrap() > head.plus(500) }).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    let mut total = TURNS;
    for caller in join_all(callers).await {
        let (jar, stored) = caller.unwrap();
        assert_eq!(other.load::<Jar>(jar).await.unwrap().state.coins, stored);
        total += stored;
    }
    assert_eq!(world.number("SELECT count(*) FROM events").await, total, "each command once");
    world.assert_sound().await;
}

/// Callers that put coins into jars of their own until they are told to stop. Each gives its jar and how often.
fn put_until(log: &EventLog, done: &Arc<AtomicBool>) -> Vec<JoinHandle<(Uuid, i64)>> {
    let caller = |_| {
        let (log, done) = (log.clone(), done.clone());
        tokio::spawn(async move {
            let (jar, mut stored) = (clock::new_id(), 0);
            while !done.load(Ordering::SeqCst) {
                stored += 1;
                assert_eq!(tell(&log, jar, JarCommand::Put(1)).await.unwrap().versions, [stored]);
            }
            (jar, stored)
        })
    };
    (0..CALLERS).map(caller).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_batches_cut_off_at_once_are_neither_lost_nor_doubled() {
    let world = World::new().await;
    let log = world.process().await;
    let done = Arc::new(AtomicBool::new(false));
    let callers = put_until(&log, &done);
    eventually("there are events", || async { world.number("SELECT count(*) FROM events").await > 0 }).await;
    let holder = Mutex::new(world.pool.acquire().await.unwrap());
    for _ in 0..CUTS {
        let looks = AtomicUsize::new(0);
        eventually("two batches wait", || async {
            if looks.fetch_add(1, Ordering::SeqCst).is_multiple_of(20) {
                // Every batch that ends there waits for its name, the one behind it for that one. A batch that
                // begins after a rest has none behind it: then the next one has to wait.
                let names = "SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(-p) FROM generate_series(\
                     (SELECT max(position) + 200 FROM events), (SELECT max(position) + 600 FROM events)) AS p";
                holder.lock().await.execute(names).await.unwrap();
            }
            world.number(ADVISORY_WAITS).await == 2
        })
        .await;
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(world.number(cut).await, 2);
        holder.lock().await.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let mut total = 0;
    for caller in join_all(callers).await {
        let (jar, stored) = caller.unwrap();
        assert_eq!(world.events_of(jar).await, stored);
        total += stored;
    }
    assert_eq!(world.number("SELECT count(*) FROM events").await, total, "each command once");
    world.assert_sound().await;
}
