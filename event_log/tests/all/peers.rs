//! Faults that cqrs-es 0.5 and postgres-es 0.5 were measured to have, each in a test that bears its name. The
//! others are in `snapshots`, `faults` and `appending`.

use std::collections::BTreeSet;
use std::time::Duration;

use cqrs_es::persist::PersistedEventRepository;
use event_log::{CommandContext, LogError, Position, Version, clock};
use futures::future::join_all;
use postgres_es::PostgresEventRepository;
use sqlx::Executor;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{ALICE, World, new_command, tell};

/// postgres-es commits and then looks at the number of rows: the caller is told of a conflict and tries again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_command_is_never_reported_as_a_conflict() {
    const ROUNDS: i64 = 20;
    let world = World::new().await;
    let (logs, jar) = ([world.process().await, world.process().await], clock::new_id());
    for version in 0..ROUNDS {
        let answers = join_all((0..8).map(|n: usize| {
            let (log, context) = (logs[n % 2].clone(), new_command());
            async move {
                let id = context.command_id;
                let unit = log.unit::<Failure>(context);
                (
                    id,
                    unit.execute_at::<Jar>(jar, Some(Version::new(version)), [JarCommand::Put(1)])
                        .commit()
                        .await,
                )
            }
        }))
        .await;
        let mut stored = 0;
        for (id, answer) in answers {
            let query = format!("SELECT count(*) FROM events WHERE metadata ->> 'command_id' = '{id}'");
            let events = world.number(&query).await;
            match answer {
                Ok(_) => stored += 1,
                Err(Failure::Log(LogError::VersionMismatch { .. })) => {
                    assert_eq!(events, 0, "a command that was told of a conflict is not stored");
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(stored, 1);
    }
    assert_eq!(world.events_of(jar).await, ROUNDS);
    world.assert_sound().await;
}

/// postgres-es sends each event by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_events_take_one_round_trip_and_not_one_each() {
    let world = World::new().await;
    world
        .run(
            "CREATE TABLE noted (query text NOT NULL); \
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 INSERT INTO noted VALUES (current_query()); \
                 RETURN NULL; END $$; \
             CREATE TRIGGER note AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION note()",
        )
        .await;
    let log = world.process().await;
    let unit = log.unit::<Failure>(new_command());
    let unit = unit.execute::<Jar>(clock::new_id(), vec![JarCommand::Put(1); 60]);
    unit.execute::<Jar>(clock::new_id(), vec![JarCommand::Put(1); 40]).commit().await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM events").await, 100);
    assert_eq!(world.number("SELECT count(*) FROM noted").await, 1, "one insert");
    let sent = "SELECT count(*) FROM noted WHERE query LIKE '%append(%'";
    assert_eq!(world.number(sent).await, 1, "one call");
}

/// postgres-es calls every unique violation a conflict, and what passes by itself an unknown error.
#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_and_a_pool_timeout_pass_by_themselves_and_a_unique_violation_is_no_conflict()
{
    let world = World::new().await;
    let raised = async |code: &str| {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'it happened' USING ERRCODE = '{code}'; END $$");
        LogError::from(world.pool.execute(raise.as_str()).await.unwrap_err())
    };
    // Serialization failure, deadlock, too many connections, shutdown, lock timeout.
    for code in ["40001", "40P01", "53300", "57P01", "55P03"] {
        let error = raised(code).await;
        assert!(matches!(error, LogError::Unavailable(_)), "{code}: {error:?}");
    }
    for code in ["23505", "22P02", "42P01"] {
        let error = raised(code).await;
        assert!(matches!(error, LogError::Database(_)), "{code}: {error:?}");
    }
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(1));
    let pool = one.connect_with(world.pool.connect_options().as_ref().clone()).await.unwrap();
    let _taken = pool.acquire().await.unwrap();
    let error = LogError::from(pool.acquire().await.unwrap_err());
    assert!(matches!(error, LogError::Unavailable(sqlx::Error::PoolTimedOut)), "{error:?}");
}

/// A number in the metadata makes a stream unreadable for postgres-es. It reads ours.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_holds_nothing_but_texts_so_the_stream_stays_readable() {
    let world = World::new().await;
    let (log, jar) = (world.process().await, clock::new_id());
    let context = CommandContext {
        causation_id: Some(clock::new_id()),
        ip: Some("192.0.2.1".to_owned()),
        user_agent: Some("42".to_owned()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        language: Some("de".to_owned()),
        ..new_command()
    };
    log.unit::<Failure>(context).execute::<Jar>(jar, [JarCommand::Put(3)]).commit().await.unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT field.key, json_typeof(field.value) FROM events, json_each(metadata) AS field",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let repository = PostgresEventRepository::new(world.pool.clone());
    let read = repository.get_events::<Jar>(&jar.to_string()).await.unwrap();
    assert_eq!(read.len(), 1, "postgres-es reads it");
    let names: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let told = ["actor", "command_id", "ip", "user_agent", "traceparent", "language"];
    assert!(names.is_superset(&BTreeSet::from(told)));
    for (name, kind) in &rows {
        assert_eq!(kind, "string", "{name}");
    }
    let loaded = world.process().await.load::<Jar>(jar).await.unwrap();
    assert_eq!((loaded.state.coins, loaded.version.get()), (3, 1));
}

/// postgres-es casts sequences to 32 bits.
#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_beyond_32_bits_is_read_and_continued() {
    const BEYOND: i64 = 3_000_000_000;
    let world = World::new().await;
    let jar: Uuid = clock::new_id();
    tell(&world.process().await, jar, JarCommand::Put(5)).await.unwrap();
    world
        .run(&format!(
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE events SET sequence = {BEYOND}; COMMIT"
        ))
        .await;
    world.authenticate().await;
    let log = world.process().await;
    let loaded = log.load::<Jar>(jar).await.unwrap();
    assert_eq!((loaded.state.coins, loaded.version.get()), (5, BEYOND));
    let committed = tell(&log, jar, JarCommand::Take(2)).await.unwrap();
    assert_eq!(committed.versions, [BEYOND + 1]);
    let loaded = world.process().await.load::<Jar>(jar).await.unwrap();
    assert_eq!((loaded.state.coins, loaded.version.get()), (3, BEYOND + 1));
    assert_eq!(world.number(&format!("SELECT count(*) FROM events WHERE owner_id = '{ALICE}'")).await, 2);
}

/// A hole in the numbers, or a lock that nobody gives back, lets every reader of other stores wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_stuck_behind_a_gap_or_an_orphaned_lock() {
    let world = World::new().await;
    let (log, jar) = (world.process().await, clock::new_id());
    tell(&log, jar, JarCommand::Put(1)).await.unwrap();
    // Whoever holds the lock of the append, and has written, dies with it.
    let mut orphan = world.pool.acquire().await.unwrap();
    orphan.execute("BEGIN").await.unwrap();
    orphan.execute("LOCK TABLE events IN EXCLUSIVE MODE").await.unwrap();
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { tell(&log, jar, JarCommand::Put(1)).await }
    });
    crate::world::eventually("the append waits", || async {
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass";
        world.number(waits).await > 0
    })
    .await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *orphan).await.unwrap();
    world.run(&format!("SELECT pg_terminate_backend({pid})")).await;
    let committed = waiting.await.unwrap().unwrap();
    // What rolled back left no number behind that a reader would wait for.
    let page = log.page(Position::new(0), 10).await.unwrap();
    assert_eq!(page.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(committed.position, 2);
    world.assert_sound().await;
}
