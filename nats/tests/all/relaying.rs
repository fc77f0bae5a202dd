//! The relay: no gap and no double in the stream, whatever happens to it, to others beside it or to NATS.

use event_log::Position;
use nats::RelayState;

use crate::world::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_whose_lease_is_stolen_again_and_again_leave_no_gap_and_no_double() {
    let world = World::new().await;
    let relays = [world.relay(), world.relay(), world.relay()];
    for _ in 0..20 {
        world.write_many(50).await;
        world.run("UPDATE leases SET held_until = '-infinity' WHERE name = 'relay'").await;
    }
    world.assert_equal().await;
    let epoch: i64 = sqlx::query_scalar("SELECT epoch FROM leases WHERE name = 'relay'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert!(epoch > 1, "the lease changed hands");
    drop(relays);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_put_back_to_an_older_copy_of_its_store_is_brought_up_to_date_from_the_log() {
    let mut world = World::new().await;
    let _relay = world.relay();
    world.write_many(30).await;
    world.published().await;
    let copy = tempfile::tempdir().unwrap();
    let kept = copy.path().join("store");
    let target = kept.clone();
    world.while_stopped(move |store| copy_all(store, &target)).await;
    world.write_many(30).await;
    world.published().await;
    world
        .while_stopped(move |store| {
            std::fs::remove_dir_all(store).unwrap();
            copy_all(&kept, store);
        })
        .await;
    let mut follower = world.follower(0);
    world.write_many(30).await;
    let read = crate::world::read_up_to(&mut follower, 90).await;
    assert_eq!(crate::world::positions(&read), (1..=90).collect::<Vec<_>>());
    world.assert_equal().await;
    assert_eq!(world.stream().await.cached_info().state.first_sequence, 1, "no message is missing");
}

/// With owners and modes: the server may run as another account.
fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    assert!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_stops_at_a_log_that_lost_its_end_and_goes_on_when_it_is_back() {
    let world = World::new().await;
    let (_relay, state) = world.relay();
    world.write_many(20).await;
    world.published().await;
    world.unguard().await;
    world.run("CREATE TABLE lost AS SELECT * FROM events WHERE position > 12").await;
    world.run("DELETE FROM events WHERE position > 12").await;
    let stopped = RelayState::LogRewound { stream: Position::new(20), log: Position::new(12) };
    eventually("the relay stops", || async { (*state.borrow() == stopped).then_some(()) }).await;
    world.run("INSERT INTO events SELECT * FROM lost").await;
    let going = RelayState::Relaying { position: Position::new(20) };
    eventually("the relay goes on", || async { (*state.borrow() == going).then_some(()) }).await;
    world.write_many(10).await;
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_refused_as_soon_as_the_witness_is_back_and_the_log_is_behind_it() {
    use std::sync::Arc;

    use event_log::{EventLog, LogError, LogOptions, MasterKey, Standing};

    use crate::note::Failure;
    use crate::world::try_write;
    let mut world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(20).await;
    world.published().await;
    relay.abort();
    let bus = world.bus.clone();
    let (pool, options) = (world.pool.clone(), LogOptions::default());
    let (wait, go_on) = std::sync::mpsc::channel::<()>();
    // A process that starts while NATS is away has nothing to compare the log with, and goes on.
    let process = {
        let start = async move {
            let log = EventLog::start(pool, &MasterKey::from_secret(b"a secret of tests"), &options);
            log.set_witness(Arc::new(bus));
            log
        };
        world.unguard().await;
        world.run("CREATE TABLE lost AS SELECT * FROM events WHERE position > 12").await;
        world.run("DELETE FROM events WHERE position > 12").await;
        let stopped = world.while_stopped(move |_| go_on.recv().unwrap());
        let working = async move {
            let log = start.await;
            try_write(&log, "nothing to compare with").await.unwrap();
            assert_eq!(*log.standing().borrow(), Standing::WitnessAway);
            wait.send(()).unwrap();
            log
        };
        let ((), log) = tokio::join!(stopped, working);
        log
    };
    let mut standing = process.standing();
    let turned = standing.wait_for(|standing| matches!(standing, Standing::Rewound(_)));
    tokio::time::timeout(std::time::Duration::from_secs(20), turned).await.unwrap().unwrap();
    let refused = try_write(&process, "too late").await;
    assert!(
        matches!(refused, Err(Failure::Log(LogError::Rewound { stream, log })) if stream == 20 && log == 13),
        "{refused:?}"
    );
}
