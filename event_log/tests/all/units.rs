//! A unit over several aggregates is all or nothing.

use event_log::{EventLog, LogError, Position, Version, clock};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand, NotEnough};
use crate::world::{World, command, new_command, tell};

/// Moves coins from one jar to another under a command id, into a jar that must be at `version`.
async fn pour(
    log: &EventLog,
    (from, to): (Uuid, Uuid),
    coins: i64,
    version: Option<Version>,
) -> Result<Vec<Version>, Failure> {
    let unit = log
        .unit::<Failure>(new_command())
        .execute_at::<Jar>(to, version, [JarCommand::Put(coins)])
        .execute::<Jar>(from, [JarCommand::Take(coins)]);
    unit.commit().await.map(|committed| committed.versions)
}

async fn coins(log: &EventLog, jar: Uuid) -> i64 {
    log.load::<Jar>(jar).await.unwrap().state.coins
}

#[tokio::test(flavor = "multi_thread")]
async fn all_aggregates_of_a_unit_are_written_next_to_each_other() {
    let world = World::new().await;
    let log = world.process().await;
    let (from, to) = (clock::new_id(), clock::new_id());
    tell(&log, from, JarCommand::Put(10)).await.unwrap();
    assert_eq!(pour(&log, (from, to), 4, None).await.unwrap(), [1, 2]);
    assert_eq!((coins(&log, from).await, coins(&log, to).await), (6, 4));
    let positions: Vec<(i64, String)> = log
        .page(Position::new(1), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|e| (e.position.get(), e.aggregate_id))
        .collect();
    assert_eq!(positions, [(2, to.to_string()), (3, from.to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_aggregate_refuses_nothing_is_stored() {
    let world = World::new().await;
    let log = world.process().await;
    let (from, to) = (clock::new_id(), clock::new_id());
    tell(&log, from, JarCommand::Put(3)).await.unwrap();
    let refused = pour(&log, (from, to), 4, None).await.unwrap_err();
    assert!(matches!(refused, Failure::Jar(NotEnough { wanted: 4, there: 3 })), "{refused}");
    assert_eq!(world.number("SELECT count(*) FROM events").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM command_receipts").await, 1);
    assert_eq!(log.load_cached::<Jar>(to).await.unwrap().state, Jar::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_on_one_aggregate_decides_the_whole_unit_again_and_stores_it_once() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (from, to) = (clock::new_id(), clock::new_id());
    tell(&here, from, JarCommand::Put(10)).await.unwrap();
    tell(&here, to, JarCommand::Put(1)).await.unwrap();
    tell(&there, to, JarCommand::Put(1)).await.unwrap();
    assert_eq!(here.load_cached::<Jar>(to).await.unwrap().version, 1, "the state here is stale");
    assert_eq!(pour(&here, (from, to), 4, None).await.unwrap(), [3, 2]);
    assert_eq!((coins(&there, from).await, coins(&there, to).await), (6, 6));
    assert_eq!(world.number("SELECT count(*) FROM events").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_cannot_be_decided_again_stores_nothing_of_the_unit() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (from, to) = (clock::new_id(), clock::new_id());
    tell(&here, from, JarCommand::Put(10)).await.unwrap();
    tell(&here, to, JarCommand::Put(1)).await.unwrap();
    tell(&there, to, JarCommand::Put(1)).await.unwrap();
    let refused = pour(&here, (from, to), 4, Some(Version::new(1))).await.unwrap_err();
    assert!(
        matches!(refused, Failure::Log(LogError::VersionMismatch { expected, actual, .. }) if expected == 1 && actual == 2)
    );
    assert_eq!((coins(&here, from).await, coins(&here, to).await), (10, 2));
    assert_eq!(world.number("SELECT count(*) FROM events").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn coins_poured_in_circles_by_two_processes_neither_appear_nor_vanish() {
    let world = World::new().await;
    let logs = [world.process().await, world.process().await];
    let jars = [clock::new_id(), clock::new_id(), clock::new_id()];
    for jar in jars {
        tell(&logs[0], jar, JarCommand::Put(100)).await.unwrap();
    }
    let pours = (0..3).cycle().zip(logs.iter().cycle()).take(40).map(|(number, log)| {
        let log = log.clone();
        tokio::spawn(async move { pour(&log, (jars[number], jars[(number + 1) % 3]), 1, None).await })
    });
    for answer in futures::future::join_all(pours).await {
        answer.unwrap().unwrap();
    }
    let mut total = 0;
    for jar in jars {
        total += coins(&logs[0], jar).await;
    }
    assert_eq!(total, 300);
    assert_eq!(world.number("SELECT count(*) FROM events").await, 3 + 2 * 40);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_that_occurs_twice_in_a_unit_is_refused() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    let unit = log
        .unit::<Failure>(command(clock::new_id()))
        .execute::<Jar>(jar, [JarCommand::Put(1)])
        .execute::<Jar>(jar, [JarCommand::Put(1)]);
    let refused = unit.commit().await.unwrap_err();
    assert!(matches!(refused, Failure::Log(LogError::Refused { .. })), "{refused}");
    assert_eq!(world.events_of(jar).await, 0);
}
