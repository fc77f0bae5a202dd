//! Lost connections: a batch whose answer was lost is sent again, and no command is doubled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_log::{Position, clock};
use uuid::Uuid;

use crate::jar::{Jar, JarCommand};
use crate::world::{World, command, eventually, is_passing, tell_as};

const COMMANDS: usize = 300;
const JARS: usize = 10;
const COINS_EACH: i64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_neither_lose_nor_double_an_acknowledged_command() {
    let world = World::new().await;
    let logs = [world.process().await, world.process().await];
    let jars: Vec<Uuid> = (0..JARS).map(|_| clock::new_id()).collect();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..COMMANDS)
        .map(|number| {
            let (log, jar, acknowledged) =
                (logs[number % 2].clone(), jars[number % JARS], acknowledged.clone());
            tokio::spawn(async move {
                let id = clock::new_id();
                loop {
                    match tell_as(&log, command(id), jar, JarCommand::Put(1)).await {
                        Ok(committed) => {
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                            return (id, committed.position);
                        }
                        // The caller does what a client does: sends the same command again.
                        Err(error) if is_passing(&error) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            })
        })
        .collect();
    let mut killed = 0;
    for step in (0..COMMANDS).step_by(20) {
        let acknowledged = &acknowledged;
        eventually("commands go on", || async move { acknowledged.load(Ordering::SeqCst) >= step }).await;
        killed += world
            .number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE application_name = 'routix' AND datname = current_database()",
            )
            .await;
    }
    assert!(killed > 0);
    let mut positions = BTreeMap::new();
    for caller in callers {
        let (id, position) = caller.await.unwrap();
        assert!(positions.insert(position, id).is_none(), "two commands have one position");
    }
    let stored: Vec<(i64, String)> =
        sqlx::query_as("SELECT position, metadata->>'command_id' FROM events ORDER BY position")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let told: Vec<(i64, String)> = positions.into_iter().map(|(at, id)| (at.get(), id.to_string())).collect();
    assert_eq!(stored, told, "the log holds what the callers were told, each command once");
    assert_eq!(stored.len(), COMMANDS);
    let fresh = world.process().await;
    for jar in jars {
        assert_eq!(fresh.load::<Jar>(jar).await.unwrap().state.coins, COINS_EACH);
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_error_while_reading_is_an_error_and_not_the_end_of_the_stream() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    tell_as(&log, command(clock::new_id()), jar, JarCommand::Put(1)).await.unwrap();
    let fresh = world.process().await;
    world.run("ALTER TABLE events RENAME TO events_away").await;
    assert!(fresh.load::<Jar>(jar).await.is_err());
    assert!(fresh.page(Position::new(0), 10).await.is_err());
    world.run("ALTER TABLE events_away RENAME TO events").await;
    assert_eq!(fresh.load::<Jar>(jar).await.unwrap().state.coins, 1);
}
