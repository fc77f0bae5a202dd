//! Followers: every event once and in order, whatever happens to the stream, and never ahead of the log.

use std::time::Duration;

use event_log::{LogError, Position};
use futures::StreamExt;
use nats::{Feed, Follower, Relay, RelayState};

use crate::world::{PATIENCE, World, eventually, positions, read_up_to};

/// How many read the stream.
async fn consumers(world: &World) -> usize {
    world.stream().await.cached_info().state.consumer_count
}

/// Waits until a tail of the stream is open.
async fn nothing_to_read_until_the_stream_is_read(world: &World, follower: &mut Follower) {
    tokio::select! {
        more = follower.next(100) => panic!("there is nothing to read: {more:?}"),
        () = eventually("the stream has a consumer", || async {
            (consumers(world).await > 0).then_some(())
        }) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_reads_the_log_page_after_page() {
    let world = World::new().await;
    world.write_many(23).await;
    let mut follower = world.follower(0);
    let (mut read, mut pages) = (Vec::new(), 0);
    while follower.position() < 23 {
        let page = tokio::time::timeout(PATIENCE, follower.next(5)).await.unwrap().unwrap();
        assert!(page.len() <= 5);
        read.extend(positions(&page));
        pages += 1;
    }
    assert_eq!(read, (1..=23).collect::<Vec<_>>());
    assert!(pages >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_is_handed_an_event_at_the_size_limit_and_one_above_is_refused() {
    use crate::note::Failure;
    use crate::world::try_write;
    let world = World::new().await;
    let _relay = world.relay();
    let first = world.write("before").await;
    let mut follower = world.follower(0);
    read_up_to(&mut follower, first).await;
    world.published().await;
    let frame = r#"{"text":"","type":"TextWritten"}"#.len();
    let limit = 256 << 10;
    // Characters that JSON escapes count as they are stored.
    let largest = "x".repeat(limit - frame);
    let at = world.write(&largest).await;
    let refused = try_write(&world.log, &format!("{largest}x")).await;
    assert!(
        matches!(refused, Err(Failure::Log(LogError::EventTooLarge { bytes, max_bytes }))
            if bytes == limit + 1 && max_bytes == limit),
        "{refused:?}"
    );
    let after = world.write("after").await;
    let read = read_up_to(&mut follower, after).await;
    assert_eq!(positions(&read), [at, after]);
    assert_eq!(read[0].payload.len(), limit);
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_dropped_its_messages_keeps_its_place_and_stalls_neither_relay_nor_follower() {
    let world = World::new().await;
    let _relay = world.relay();
    world.write_many(50).await;
    let (mut early, mut late) = (world.follower(0), world.follower(0));
    read_up_to(&mut early, 50).await;
    world.published().await;
    world.keep_last_messages(1).await;
    world.write_many(50).await;
    let rest = read_up_to(&mut early, 100).await;
    assert_eq!(positions(&rest), (51..=100).collect::<Vec<_>>());
    let all = read_up_to(&mut late, 100).await;
    assert_eq!(positions(&all), (1..=100).collect::<Vec<_>>());
    world.assert_equal().await;
    let state = world.stream().await.cached_info().state.clone();
    assert_eq!(
        (state.first_sequence, state.last_sequence),
        (100, 100),
        "the stream holds the last message only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_consumer_is_deleted_mid_way_misses_nothing() {
    let world = World::new().await;
    let _relay = world.relay();
    let mut follower = world.follower(0);
    let mut read = Vec::new();
    let mut deleted = 0;
    for round in 1..=5 {
        world.write_many(40).await;
        world.published().await;
        read.extend(read_up_to(&mut follower, round * 40).await);
        // At the end of the log it sits on the tail; its consumer is taken away under it.
        let idle = tokio::time::timeout(Duration::from_millis(300), follower.next(100)).await;
        assert!(idle.is_err(), "there is nothing to read");
        let stream = world.stream().await;
        let mut names = stream.consumer_names();
        while let Some(name) = names.next().await {
            stream.delete_consumer(&name.unwrap()).await.unwrap();
            deleted += 1;
        }
    }
    assert!(deleted > 0, "there were consumers to delete");
    let last = world.write("after all of it").await;
    read.extend(read_up_to(&mut follower, last).await);
    assert_eq!(positions(&read), (1..=last).collect::<Vec<_>>());
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_relay_a_follower_needs_no_consumer_and_misses_nothing_when_the_relay_moves() {
    let world = World::new().await;
    let (relay, mut state) = world.relay();
    state.wait_for(|state| matches!(state, RelayState::Relaying { .. })).await.unwrap();
    let mut follower = Feed::start(world.log.clone(), world.bus.clone()).follow(Position::ZERO);
    let mut read = Vec::new();
    for round in 1..=5 {
        world.write_many(40).await;
        read.extend(read_up_to(&mut follower, round * 40).await);
        world.published().await;
    }
    assert_eq!(consumers(&world).await, 0);
    // The relay is another process now: the follower goes over to the stream.
    relay.abort();
    let other = Relay::new(world.log.clone(), world.elsewhere.clone()).lease_life(Duration::from_millis(500));
    let other = tokio::spawn(other.run());
    for round in 6..=10 {
        world.write_many(40).await;
        read.extend(read_up_to(&mut follower, round * 40).await);
        world.published().await;
    }
    nothing_to_read_until_the_stream_is_read(&world, &mut follower).await;
    // And back.
    other.abort();
    let _relay = world.relay();
    world.write_many(40).await;
    read.extend(read_up_to(&mut follower, 440).await);
    assert_eq!(positions(&read), (1..=440).collect::<Vec<_>>());
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_never_runs_ahead_of_a_log_that_was_restored() {
    let world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(20).await;
    world.published().await;
    relay.abort();
    world.unguard().await;
    world.run("CREATE TABLE lost AS SELECT * FROM events WHERE position > 10").await;
    world.run("DELETE FROM events WHERE position > 10").await;
    // One that starts now, and one that had read more than the log now holds.
    let mut fresh = world.follower(0);
    assert_eq!(positions(&read_up_to(&mut fresh, 10).await), (1..=10).collect::<Vec<_>>());
    let mut old = world.follower(15);
    for follower in [&mut fresh, &mut old] {
        let more = tokio::time::timeout(Duration::from_millis(700), follower.next(100)).await;
        assert!(more.is_err(), "handed out what the log does not hold: {more:?}");
    }
    // Once the log holds it again both go on.
    world.run("INSERT INTO events SELECT * FROM lost").await;
    assert_eq!(positions(&read_up_to(&mut fresh, 20).await), (11..=20).collect::<Vec<_>>());
    assert_eq!(positions(&read_up_to(&mut old, 20).await), (16..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_reads_the_log_where_the_stream_holds_something_else() {
    let world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(10).await;
    world.published().await;
    relay.abort();
    let mut follower = world.follower(0);
    read_up_to(&mut follower, 10).await;
    // Only a tail that is open when the strange message comes can be misled.
    nothing_to_read_until_the_stream_is_read(&world, &mut follower).await;
    // The stream goes on with a copy of an old event that claims to be the next one.
    let stream = world.stream().await;
    let old = stream.get_raw_message(5).await.unwrap();
    let mut headers = old.headers.clone();
    headers.insert("routix-position", "11");
    headers.insert("Nats-Expected-Last-Sequence", "10");
    let jetstream = world.jetstream().await;
    jetstream
        .publish_with_headers(old.subject.clone(), headers, old.payload.clone())
        .await
        .unwrap()
        .await
        .unwrap();
    let right = world.write("the right one").await;
    let read = read_up_to(&mut follower, right).await;
    assert_eq!(positions(&read), [right]);
    assert!(read[0].payload.contains("the right one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_says_that_the_log_was_replaced_and_goes_on_where_it_is_told() {
    let world = World::new().await;
    let _relay = world.relay();
    world.write_many(10).await;
    world.published().await;
    let mut follower = world.follower(0);
    read_up_to(&mut follower, 10).await;
    let log_id = event_log::start_new_log(&world.pool).await.unwrap();
    world.bus.start_stream_anew(&world.log).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(20), follower.next(100)).await;
    let replaced = told.unwrap().unwrap_err();
    assert!(matches!(replaced, LogError::Replaced { log_id: new } if new == log_id), "{replaced}");
    let next = world.write("in the new log").await;
    follower.rewind(Position::new(10));
    assert_eq!(positions(&read_up_to(&mut follower, next).await), [next]);
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_to_the_feed_is_told_that_the_log_was_replaced_and_never_skips_into_the_new_one() {
    let world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(20).await;
    world.published().await;
    relay.abort();
    let feed = Feed::start(world.log.clone(), world.elsewhere.clone());
    let (mut listening, mut late) = (feed.follow(Position::new(0)), feed.follow(Position::new(18)));
    while listening.position() < 20 {
        listening.next(100).await.unwrap();
    }
    late.next(1).await.unwrap();
    let idle = tokio::time::timeout(Duration::from_millis(300), listening.next(100)).await;
    assert!(idle.is_err(), "there is nothing to read");
    // The log loses its end, becomes another one and grows beyond what both had read.
    world.unguard().await;
    world.run("DELETE FROM events WHERE position > 10").await;
    let log_id = event_log::start_new_log(&world.pool).await.unwrap();
    world.bus.start_stream_anew(&world.log).await.unwrap();
    let _relay = world.relay();
    world.write_many(20).await;
    for follower in [&mut listening, &mut late] {
        let told = tokio::time::timeout(Duration::from_secs(20), follower.next(100)).await.unwrap();
        assert!(matches!(told, Err(LogError::Replaced { log_id: new }) if new == log_id), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_anew_in_a_restored_log_gets_what_is_recovered_though_the_feed_has_passed_it() {
    let world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(20).await;
    world.published().await;
    relay.abort();
    let feed = Feed::start(world.log.clone(), world.elsewhere.clone());
    let mut first = feed.follow(Position::new(0));
    while first.position() < 20 {
        first.next(100).await.unwrap();
    }
    let idle = tokio::time::timeout(Duration::from_millis(300), first.next(100)).await;
    assert!(idle.is_err(), "there is nothing to read");
    world.unguard().await;
    world.run("CREATE TABLE lost AS SELECT * FROM events WHERE position > 10").await;
    world.run("DELETE FROM events WHERE position > 10").await;
    // A projection whose checkpoint was restored too.
    let mut again = feed.follow(Position::new(10));
    let more = tokio::time::timeout(Duration::from_millis(700), again.next(100)).await;
    assert!(more.is_err(), "handed out what the log does not hold: {more:?}");
    world.run("INSERT INTO events SELECT * FROM lost").await;
    // Whether the feed began at the lost events or before them: it may pass on one by one what comes again.
    let mut positions = Vec::new();
    while positions.len() < 10 {
        let events = tokio::time::timeout(Duration::from_secs(20), again.next(100)).await.unwrap().unwrap();
        positions.extend(events.iter().map(|event| event.position));
    }
    assert_eq!(positions, (11..=20).collect::<Vec<_>>());
}
