//! Snapshots: equal to a full replay, and only a shortcut. The first test bears the fault of cqrs-es 0.5,
//! which applies events twice before it stores the snapshot.

use event_log::{EventLog, Loaded, LogError, Position, clock};
use serde_json::Value;
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{ALICE, World, new_command, tell};

async fn put(log: &EventLog, jar: Uuid, times: usize) {
    let commands = (1..=i64::try_from(times).unwrap()).map(JarCommand::Put);
    log.unit::<Failure>(new_command()).execute::<Jar>(jar, commands).commit().await.unwrap();
}

/// A jar with 160 events, a note among them, and a snapshot on the way.
async fn long_stream(world: &World) -> Uuid {
    let (log, jar) = (world.process().await, clock::new_id());
    tell(&log, jar, JarCommand::Note(ALICE, "for holidays".to_owned())).await.unwrap();
    put(&log, jar, 60).await;
    put(&log, jar, 60).await;
    for _ in 0..38 {
        tell(&log, jar, JarCommand::Put(1)).await.unwrap();
    }
    tell(&log, jar, JarCommand::Take(7)).await.unwrap();
    jar
}

const COINS: i64 = 60 * 61 + 38 - 7;
const EVENTS: i64 = 160;

async fn load(world: &World, jar: Uuid) -> Loaded<Jar> {
    world.process().await.load::<Jar>(jar).await.unwrap()
}

async fn snapshot(world: &World) -> (i64, Value) {
    sqlx::query_as("SELECT version, payload FROM snapshots").fetch_one(&world.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_does_not_apply_events_twice_but_equals_the_full_replay() {
    let world = World::new().await;
    let jar = long_stream(&world).await;
    let (version, state) = snapshot(&world).await;
    assert_eq!((version, &state["coins"]), (121, &Value::from(60 * 61)));
    let from_snapshot = load(&world, jar).await;
    world.run("DELETE FROM snapshots").await;
    let replayed = load(&world, jar).await;
    assert_eq!((from_snapshot.state, from_snapshot.version), (replayed.state.clone(), replayed.version));
    assert_eq!(
        (replayed.state.coins, replayed.version.get(), replayed.state.notes.len()),
        (COINS, EVENTS, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_is_loaded_from_its_snapshot_and_the_events_after_it() {
    let world = World::new().await;
    let jar = long_stream(&world).await;
    // An event that is not the log's own would be noticed by whoever reads it.
    forge(&world, "UPDATE events SET payload = '{}' WHERE sequence = 5").await;
    let loaded = load(&world, jar).await;
    assert_eq!((loaded.state.coins, loaded.version.get()), (COINS, EVENTS));
    world.run("DELETE FROM snapshots").await;
    let refused = world.process().await.load::<Jar>(jar).await.unwrap_err();
    assert!(matches!(refused, LogError::Forged { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_snapshot_has_no_effect() {
    let world = World::new().await;
    let jar = long_stream(&world).await;
    let forgeries = [
        "UPDATE snapshots SET payload = '{\"coins\": 1000000, \"notes\": []}'",
        "UPDATE snapshots SET version = version + 1, event_id = (SELECT e.event_id FROM events AS e \
             WHERE e.aggregate_id = snapshots.aggregate_id AND e.sequence = snapshots.version + 1)",
        "UPDATE snapshots SET authentication = ''",
    ];
    for statement in forgeries {
        world.run("CREATE TABLE kept AS TABLE snapshots").await;
        world.run(statement).await;
        let loaded = load(&world, jar).await;
        assert_eq!((loaded.state.coins, loaded.version.get()), (COINS, EVENTS), "{statement}");
        world.run("DELETE FROM snapshots").await;
        world.run("INSERT INTO snapshots SELECT * FROM kept").await;
        world.run("DROP TABLE kept").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_is_no_ground_for_a_decision_and_has_no_effect_on_who_follows() {
    let world = World::new().await;
    let (log, jar) = (world.process().await, clock::new_id());
    put(&log, jar, 1).await;
    forge(
        &world,
        "INSERT INTO events SELECT position + 1, aggregate_type, aggregate_id, 2, event_type, event_version, \
             '{\"type\": \"CoinsPut\", \"amount\": 1000}', metadata, gen_random_uuid(), owner_id, recorded_at, \
             chain, authentication FROM events",
    )
    .await;
    let fresh = world.process().await;
    let refused = fresh.load::<Jar>(jar).await.unwrap_err();
    assert!(matches!(refused, LogError::Forged { .. }), "{refused}");
    let refused = tell(&fresh, jar, JarCommand::Take(500)).await.unwrap_err();
    assert!(matches!(refused, Failure::Log(LogError::Forged { .. })), "{refused}");
    let page = fresh.page(Position::ZERO, 10).await.unwrap();
    let types: Vec<&str> = page.iter().map(|event| event.aggregate_type.as_str()).collect();
    assert_eq!(types, ["jar", "void"]);
    // The rest of the log goes on behind it.
    put(&fresh, clock::new_id(), 1).await;
}

async fn forge(world: &World, statement: &str) {
    world.run(&format!("BEGIN; SET LOCAL session_replication_role = replica; {statement}; COMMIT")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_stream_has_no_snapshot() {
    let world = World::new().await;
    let log = world.process().await;
    put(&log, clock::new_id(), 99).await;
    assert_eq!(world.number("SELECT count(*) FROM snapshots").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_read_is_ignored_and_replaced() {
    let world = World::new().await;
    let jar = long_stream(&world).await;
    let spoiled = [
        "UPDATE snapshots SET payload = '{\"shape\": \"of long ago\"}'",
        "UPDATE snapshots SET schema_tag = 'jar/0', payload = '{\"coins\": 1, \"notes\": []}'",
        "UPDATE snapshots SET payload = replace(payload::text, '\"box\":\"', '\"box\":\"AAAA')::json",
    ];
    for (round, statement) in spoiled.into_iter().enumerate() {
        let before = i64::try_from(round).unwrap();
        world.run(statement).await;
        let loaded = load(&world, jar).await;
        assert_eq!(loaded.state.coins, COINS + before * 5050, "{statement}");
        assert_eq!(loaded.version, EVENTS + before * 100);
        put(&world.process().await, jar, 100).await;
        let (version, state) = snapshot(&world).await;
        assert_eq!(version, EVENTS + (before + 1) * 100);
        assert_eq!(state["coins"], Value::from(COINS + (before + 1) * 5050));
    }
    assert_eq!(world.number("SELECT count(*) FROM snapshots").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_form_is_replaced_even_by_one_of_a_lower_version() {
    let world = World::new().await;
    let jar = long_stream(&world).await;
    world.run("UPDATE snapshots SET schema_tag = 'jar/0', version = 100000").await;
    put(&world.process().await, jar, 50).await;
    assert_eq!(snapshot(&world).await.0, 210);
}
