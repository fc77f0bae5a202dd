//! The relay: no gap and no double in the stream, whatever happens to it, to others beside it or to NATS.

use std::sync::Arc;

use event_log::{
    EventLog, LogError, LogOptions, MasterKey, Position, RecordedEvent, Standing, chain_of, clock,
};
use nats::{RelayState, STREAM, headers_of, subject_of};
use sqlx::{Executor, PgConnection};
use tokio::sync::watch;

use crate::note::Failure;
use crate::world::{PATIENCE, SECRET, World, eventually, try_write};

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
async fn page_after_page_is_published_whole_and_in_order() {
    let world = World::new().await;
    world.write_many(23).await;
    let (_relay, mut state) = world.relay_of_pages(5);
    // It says so for the first time when there is no further page.
    let reached = state.wait_for(|state| matches!(state, RelayState::Relaying { .. }));
    let reached = *tokio::time::timeout(PATIENCE, reached).await.unwrap().unwrap();
    assert_eq!(reached, RelayState::Relaying { position: Position::new(23) });
    world.assert_equal().await;
    let mut published = world.bus.published(Position::ZERO).await.unwrap().unwrap().in_pages(5);
    let (mut read, mut pages) = (Vec::new(), 0);
    loop {
        let page = published.next_page().await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page.iter().map(|event| event.position.get()));
        pages += 1;
    }
    assert_eq!((read, pages), ((1..=23).collect::<Vec<_>>(), 5));
}

/// A relay that has published ten events and has nothing to do.
async fn idle_relay(world: &World) -> watch::Receiver<RelayState> {
    let (_, mut state) = world.relay();
    world.write_many(10).await;
    let idle = RelayState::Relaying { position: Position::new(10) };
    tokio::time::timeout(PATIENCE, state.wait_for(|state| *state == idle)).await.unwrap().unwrap();
    state
}

/// Waits until the relay refuses to go on, and tells where stream and log are then.
async fn stopped(mut state: watch::Receiver<RelayState>) -> (Position, Position) {
    let stopped = state.wait_for(|state| matches!(state, RelayState::LogRewound { .. }));
    let stopped = tokio::time::timeout(PATIENCE, stopped).await.expect("the relay stops").unwrap();
    let RelayState::LogRewound { stream, log } = *stopped else { panic!("it was waited for") };
    (stream, log)
}

/// An event behind `last`, linked as its writer would have linked it.
fn event_behind(world: &World, last: &RecordedEvent) -> RecordedEvent {
    let (position, event_id) = (last.position.next(), clock::new_id());
    let event = RecordedEvent { position, event_id, sequence: last.sequence + 1, ..last.clone() };
    let authentication = world.log.vault().authenticator().of_event(&event.digest()).to_vec();
    RecordedEvent { chain: chain_of(&last.chain, &event).to_vec(), authentication, ..event }
}

async fn insert(connection: &mut PgConnection, event: &RecordedEvent) {
    let insert = sqlx::query(
        "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                             payload, metadata, event_id, owner_id, recorded_at, chain, authentication) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11, $12, $13)",
    );
    let insert = insert.bind(event.position).bind(&event.aggregate_type).bind(&event.aggregate_id);
    let insert = insert.bind(event.sequence).bind(&event.event_type).bind(&event.event_version);
    let insert = insert.bind(&event.payload).bind(&event.metadata).bind(event.event_id);
    let insert =
        insert.bind(event.owner_id).bind(event.recorded_at).bind(&event.chain).bind(&event.authentication);
    insert.execute(connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_publishes_nothing_that_does_not_follow_from_what_it_published() {
    let world = World::new().await;
    let state = idle_relay(&world).await;
    world.unguard().await;
    let end = world.log.page(Position::new(8), 2).await.unwrap();
    let other = event_behind(&world, &end[0]);
    // One transaction: the relay never sees that the log lost its end, only that it goes on.
    let mut exchange = world.pool.begin().await.unwrap();
    exchange.execute("DELETE FROM events WHERE position = 10").await.unwrap();
    insert(&mut exchange, &other).await;
    insert(&mut exchange, &event_behind(&world, &other)).await;
    exchange.commit().await.unwrap();
    assert_eq!(stopped(state).await, (Position::new(10), Position::new(11)));
    assert_eq!(world.stream().await.cached_info().state.last_sequence, 10, "nothing more was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_published_in_its_place_or_not_at_all() {
    let world = World::new().await;
    let mut state = idle_relay(&world).await;
    let last = world.log.page(Position::new(9), 1).await.unwrap().pop().unwrap();
    // The relay stands before the log. When it gets the event, the place of the event in the stream is taken.
    let mut gate = world.pool.begin().await.unwrap();
    gate.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let event = event_behind(&world, &last);
    insert(&mut gate, &event).await;
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'events'::regclass AND NOT granted";
    eventually("the relay waits for the log", || async {
        let waiting: i64 = sqlx::query_scalar(waits).fetch_one(&world.pool).await.unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    // By another relay, which believes that it still holds the lease.
    let made = world.stream().await.cached_info().created;
    let (subject, headers) = (subject_of(&event), headers_of(&event, &world.log.provenance().await.unwrap()));
    let jetstream = world.jetstream().await;
    let published = jetstream.publish_with_headers(subject, headers, event.payload.into()).await;
    published.unwrap().await.unwrap();
    gate.commit().await.unwrap();
    let idle = RelayState::Relaying { position: Position::new(11) };
    tokio::time::timeout(PATIENCE, state.wait_for(|state| *state == idle)).await.unwrap().unwrap();
    let stream = world.stream().await;
    assert_eq!(stream.cached_info().state.last_sequence, 11, "the event is not in another place");
    assert_eq!(stream.cached_info().created, made, "nothing had to be mended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_published_is_replaced_and_shuts_nothing() {
    let world = World::new().await;
    world.log.set_witness(Arc::new(world.bus.clone()));
    let mut state = idle_relay(&world).await;
    let made = world.stream().await.cached_info().created;
    let last = world.log.page(Position::new(9), 1).await.unwrap().pop().unwrap();
    // Whoever may publish knows the chain and everything that was published before.
    let next = event_behind(&world, &last);
    let forgeries = [
        RecordedEvent { payload: r#"{"type":"Noted","text":"forged"}"#.to_owned(), ..next.clone() },
        RecordedEvent {
            position: next.position,
            chain: chain_of(&last.chain, &next).to_vec(),
            ..last.clone()
        },
    ];
    let provenance = world.log.provenance().await.unwrap();
    let jetstream = world.jetstream().await;
    for (forged, place) in forgeries.iter().zip(11..) {
        let mut headers = headers_of(&last, &provenance);
        let of_forged = headers_of(forged, &provenance);
        for name in ["routix-position", "routix-chain", "routix-sequence", "ce-id", "routix-authentication"] {
            headers.insert(name, of_forged.get(name).unwrap().clone());
        }
        headers.insert("routix-position", place.to_string());
        let published =
            jetstream.publish_with_headers(subject_of(forged), headers, forged.payload.clone().into());
        published.await.unwrap().await.unwrap();
    }
    eventually("the stream is replaced", || async {
        let stream = world.jetstream().await.get_stream(STREAM).await.ok()?;
        (stream.cached_info().created != made).then_some(())
    })
    .await;
    try_write(&world.log, "the log goes on").await.unwrap();
    let idle = RelayState::Relaying { position: Position::new(11) };
    tokio::time::timeout(PATIENCE, state.wait_for(|state| *state == idle)).await.unwrap().unwrap();
    assert_eq!(*world.log.standing().borrow(), Standing::Sound);
    world.assert_equal().await;
    assert_eq!(world.stream().await.cached_info().state.first_sequence, 1, "nothing that it held is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_refused_as_soon_as_the_witness_is_back_and_the_log_is_behind_it() {
    let mut world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(20).await;
    world.published().await;
    relay.abort();
    world.unguard().await;
    world.run("DELETE FROM events WHERE position > 12").await;
    // A process that starts while NATS is away has nothing to compare the log with, and goes on.
    world.stop_nats().await;
    let keys = MasterKey::from_secret(SECRET).unlock(&world.pool).await.unwrap();
    let process = EventLog::start(world.pool.clone(), &keys, &LogOptions::default());
    process.set_witness(Arc::new(world.bus.clone()));
    try_write(&process, "nothing to compare with").await.unwrap();
    assert_eq!(*process.standing().borrow(), Standing::WitnessAway);
    world.restart_nats().await;
    let mut standing = process.standing();
    let turned = standing.wait_for(|standing| matches!(standing, Standing::Rewound(_)));
    tokio::time::timeout(PATIENCE, turned).await.unwrap().unwrap();
    let refused = try_write(&process, "too late").await;
    assert!(
        matches!(refused, Err(Failure::Log(LogError::Rewound { stream, log })) if stream == 20 && log == 13),
        "{refused:?}"
    );
}
