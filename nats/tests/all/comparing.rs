//! Comparing the stream with the log finds whatever differs.

use event_log::{LogReader, Position};

use crate::world::World;

async fn fault(world: &World) -> Option<String> {
    let reader = LogReader::new(world.pool.clone());
    world.bus.compare_with(&reader).await.unwrap().unwrap().fault
}

async fn published_world() -> World {
    let world = World::new().await;
    let (relay, _) = world.relay();
    world.write_many(12).await;
    world.published().await;
    relay.abort();
    world.unguard().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equal_stream_is_compared_message_by_message() {
    let world = published_world().await;
    let reader = LogReader::new(world.pool.clone());
    let report = world.bus.compare_with(&reader).await.unwrap().unwrap();
    assert_eq!((report.compared, report.first.get(), report.last.get(), report.fault), (12, 1, 12, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_compared() {
    let world = published_world().await;
    let reader = LogReader::new(world.pool.clone());
    let compared = async |page_events| {
        let report = world.bus.compare_in_pages(&reader, page_events).await.unwrap().unwrap();
        (report.compared, report.first.get(), report.fault)
    };
    for page_events in [1, 5, 12, 13] {
        assert_eq!(compared(page_events).await, (12, 1, None), "pages of {page_events}");
    }
    // The eleventh message begins the third page of five.
    world.run("UPDATE events SET payload = (payload::text || ' ')::json WHERE position = 11").await;
    let fault = "message 11 has another payload than the event".to_owned();
    assert_eq!(compared(5).await, (10, 1, Some(fault)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_in_any_part_of_an_event_is_found_and_named() {
    let world = published_world().await;
    for (change, what) in [
        ("payload = (payload::text || ' ')::json", "payload"),
        ("chain = sha256('forged')", "chain value"),
        ("event_id = gen_random_uuid()", "event id"),
        ("metadata = '{}'", "description"),
        ("recorded_at = recorded_at + interval '1 microsecond'", "description"),
    ] {
        world.run("CREATE TABLE kept AS SELECT * FROM events WHERE position = 7").await;
        world.run(&format!("UPDATE events SET {change} WHERE position = 7")).await;
        let expected = format!("message 7 has another {what} than the event");
        assert_eq!(fault(&world).await, Some(expected), "{change}");
        world.run("DELETE FROM events WHERE position = 7").await;
        world.run("INSERT INTO events SELECT * FROM kept").await;
        world.run("DROP TABLE kept").await;
        assert_eq!(fault(&world).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_only_the_stream_holds_is_found() {
    let world = published_world().await;
    world.run("DELETE FROM events WHERE position = 7").await;
    assert_eq!(fault(&world).await.as_deref(), Some("message 7 is of an event that is not in the log"));
    world.run("DELETE FROM events WHERE position = 12").await;
    assert_eq!(fault(&world).await.as_deref(), Some("the stream is at 12, the log at 11"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_of_the_log_is_found() {
    let world = published_world().await;
    let jetstream = world.jetstream().await;
    jetstream.publish("routix.events.note.Forged", "{}".into()).await.unwrap().await.unwrap();
    world.write("the one that belongs there").await;
    let found = fault(&world).await.unwrap();
    assert!(found.starts_with("message 13 has no usable"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_the_stream_dropped_are_no_difference() {
    let world = published_world().await;
    world.keep_last_messages(8).await;
    let reader = LogReader::new(world.pool.clone());
    let report = world.bus.compare_with(&reader).await.unwrap().unwrap();
    assert_eq!((report.compared, report.first.get(), report.last.get(), report.fault), (8, 5, 12, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_written_anew_with_a_whole_chain_is_found_by_the_stream() {
    let world = published_world().await;
    let mut events = world.log.page(Position::new(0), 100).await.unwrap();
    let mut chain = vec![0; 32];
    for event in &mut events {
        if event.position == 7 {
            event.payload = event.payload.replace("text", "forged");
        }
        event.chain = event_log::chain_of(&chain, event).to_vec();
        chain.clone_from(&event.chain);
        sqlx::query("UPDATE events SET payload = $2::json, chain = $3 WHERE position = $1")
            .bind(event.position)
            .bind(&event.payload)
            .bind(&event.chain)
            .execute(&world.pool)
            .await
            .unwrap();
    }
    assert_eq!(
        event_log::verify(&world.pool, event_log::Expected::default()).await.unwrap().fault,
        None,
        "the chain is whole"
    );
    assert_eq!(fault(&world).await.as_deref(), Some("message 7 has another chain value than the event"));
}
