//! Conflicts and stale states: a cached state may accept, because the append checks it, and never refuse.

use std::sync::Arc;

use event_log::{Held, LogError, Provenance, Version, Witness, WitnessAway, clock};
use futures::future::{BoxFuture, join_all};

use crate::jar::{Failure, Jar, JarCommand, NotEnough};
use crate::world::{World, eventually, new_command, tell};

#[tokio::test(flavor = "multi_thread")]
async fn on_a_hot_stream_of_two_processes_no_conflict_reaches_a_caller() {
    const WRITERS: usize = 16;
    const TOTAL: i64 = 160;
    let world = World::new().await;
    let logs = [world.process().await, world.process().await];
    let jar = clock::new_id();
    let writers = (0..WRITERS).map(|writer| {
        let log = logs[writer % 2].clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                tell(&log, jar, JarCommand::Put(1)).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let loaded = logs[0].load::<Jar>(jar).await.unwrap();
    assert_eq!((loaded.state.coins, loaded.version.get()), (TOTAL, TOTAL));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_state_does_not_refuse_what_another_process_made_acceptable() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    tell(&here, jar, JarCommand::Put(1)).await.unwrap();
    tell(&there, jar, JarCommand::Put(10)).await.unwrap();
    assert_eq!(here.load_cached::<Jar>(jar).await.unwrap().state.coins, 1, "the state here is stale");
    let taken = tell(&here, jar, JarCommand::Take(5)).await.unwrap();
    assert_eq!(taken.versions, [3]);
    assert_eq!(there.load::<Jar>(jar).await.unwrap().state.coins, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_state_does_not_decide_that_there_is_nothing_to_do() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    tell(&here, jar, JarCommand::Put(1)).await.unwrap();
    tell(&here, jar, JarCommand::Empty).await.unwrap();
    tell(&there, jar, JarCommand::Put(7)).await.unwrap();
    let emptied = tell(&here, jar, JarCommand::Empty).await.unwrap();
    assert_eq!(emptied.events, ["CoinsTaken"]);
    assert_eq!(there.load::<Jar>(jar).await.unwrap().state.coins, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_leaves_a_stream_alone_does_so_only_on_the_state_that_the_stream_has_now() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (known, unknown) = (clock::new_id(), clock::new_id());
    tell(&here, known, JarCommand::Put(1)).await.unwrap();
    tell(&here, known, JarCommand::Empty).await.unwrap();
    for jar in [known, unknown] {
        tell(&there, jar, JarCommand::Put(7)).await.unwrap();
    }
    // Here both jars are believed to be empty, the one from memory and the other because it is taken to be new.
    let emptied = |jar| here.unit::<Failure>(new_command()).create::<Jar>(jar, [JarCommand::Empty]);
    for jar in [known, unknown] {
        let unit = emptied(jar).execute::<Jar>(clock::new_id(), [JarCommand::Put(1)]);
        assert_eq!(unit.commit().await.unwrap().events, ["CoinsTaken", "CoinsPut"]);
        assert_eq!(there.load::<Jar>(jar).await.unwrap().state.coins, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_state_never_accepts_what_the_log_would_refuse() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    tell(&here, jar, JarCommand::Put(10)).await.unwrap();
    tell(&there, jar, JarCommand::Take(8)).await.unwrap();
    assert_eq!(here.load_cached::<Jar>(jar).await.unwrap().state.coins, 10, "the state here is stale");
    let refused = tell(&here, jar, JarCommand::Take(5)).await.unwrap_err();
    assert!(matches!(refused, Failure::Jar(NotEnough { wanted: 5, there: 2 })), "{refused}");
    assert_eq!(world.events_of(jar).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_version_is_compared_with_the_log_and_not_with_a_stale_state() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    tell(&here, jar, JarCommand::Put(1)).await.unwrap();
    tell(&there, jar, JarCommand::Put(1)).await.unwrap();
    let at = |version| {
        here.unit::<Failure>(new_command()).execute_at::<Jar>(jar, Some(version), [JarCommand::Put(1)])
    };
    // Version 2 is what the log has, though this process only knows of 1.
    assert_eq!(at(Version::new(2)).commit().await.unwrap().versions, [3]);
    tell(&there, jar, JarCommand::Put(1)).await.unwrap();
    let refused = at(Version::new(3)).commit().await.unwrap_err();
    let Failure::Log(LogError::VersionMismatch { expected, actual, .. }) = refused else {
        panic!("not a mismatch: {refused}")
    };
    assert_eq!((expected.get(), actual.get()), (3, 4));
    assert_eq!(world.events_of(jar).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_what_exists_already_is_decided_on_what_is_there() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    tell(&there, jar, JarCommand::Put(10)).await.unwrap();
    let unit = here.unit::<Failure>(new_command()).create::<Jar>(jar, [JarCommand::Put(1)]);
    assert_eq!(unit.commit().await.unwrap().versions, [2]);
    assert_eq!(here.load_cached::<Jar>(jar).await.unwrap().state.coins, 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_leaves_no_trace_in_the_cached_state() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    tell(&log, jar, JarCommand::Put(3)).await.unwrap();
    let unit = log
        .unit::<Failure>(new_command())
        .execute::<Jar>(jar, [JarCommand::Put(1), JarCommand::Take(2), JarCommand::Take(9)]);
    let refused = unit.commit().await.unwrap_err();
    assert!(matches!(refused, Failure::Jar(NotEnough { wanted: 9, there: 2 })), "{refused}");
    let cached = log.load_cached::<Jar>(jar).await.unwrap();
    assert_eq!((cached.state.coins, cached.version.get()), (3, 1));
}

/// Nothing was ever published.
struct Nobody;

impl Witness for Nobody {
    fn last<'a>(&'a self, _: &'a Provenance) -> BoxFuture<'a, Result<Option<Held>, WitnessAway>> {
        Box::pin(async { Ok(None) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_became_another_one_between_two_looks_leaves_no_state_of_the_old_one() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    tell(&log, jar, JarCommand::Put(10)).await.unwrap();
    tell(&log, jar, JarCommand::Take(8)).await.unwrap();
    log.set_witness(Arc::new(Nobody));
    // One transaction: no look falls between the restored log and the new one.
    world
        .run(
            "BEGIN; \
             ALTER TABLE events DISABLE TRIGGER USER; \
             DELETE FROM events WHERE position > 1; \
             DELETE FROM command_receipts WHERE last_position > 1; \
             ALTER TABLE events ENABLE TRIGGER USER; \
             UPDATE log_identity SET log_id = gen_random_uuid(); \
             COMMIT",
        )
        .await;
    eventually("the state of the old log is forgotten", async || {
        log.load_cached::<Jar>(jar).await.unwrap().state.coins == 10
    })
    .await;
    assert_eq!(log.rewound(), None, "a log under another id owes nothing to the old one");
    assert_eq!(tell(&log, jar, JarCommand::Take(9)).await.unwrap().position, 2);
    world.assert_sound().await;
}
