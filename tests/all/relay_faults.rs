//! What happens to the relay and to NATS shows in the stream as nothing: sequence is position, without a gap.

use futures::future::join_all;
use serde_json::json;

use crate::support::checker::{Seen, jetstream};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::servers::{copy_all, folder, put_back};
use crate::support::socket::Socket;
use crate::support::world::World;

async fn talk(user: &Client, chat: &str, count: usize) {
    let talk = (0..count).map(|n| {
        let (user, chat) = (user.clone(), chat.to_owned());
        async move {
            let message = json!({ "type": "text", "content": format!("message {n}") });
            user.say(&chat, &message).await.expect(201)
        }
    });
    join_all(talk).await;
}

async fn stream_reaches_the_log(world: &World) {
    let context = jetstream(&world.surroundings.nats_url).await;
    eventually("the stream reaches the log", || async {
        let stream = context.get_stream("ROUTIX_EVENTS").await.ok()?;
        let head = u64::try_from(world.head().await).unwrap();
        (stream.cached_info().state.last_sequence == head).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_paused_for_longer_than_its_lease_does_no_harm_when_it_goes_on() {
    let lease = [("ROUTIX_RELAY_LEASE_SECONDS", "1")];
    let mut world = World::with(&lease, &["projections", "relay"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    talk(&user, &chat, 20).await;
    stream_reaches_the_log(&world).await;
    let standing_by = world.surroundings.start(&["work", "--role", "relay"]).await;
    let paused = world.workers.pop().unwrap();
    for _ in 0..3 {
        // Paused in the middle of publishing; the other one takes over when the lease has ended.
        tokio::join!(talk(&user, &chat, 40), paused.pause());
        stream_reaches_the_log(&world).await;
        tokio::join!(talk(&user, &chat, 40), paused.resume());
        stream_reaches_the_log(&world).await;
        // Now the other way round.
        tokio::join!(talk(&user, &chat, 40), standing_by.pause());
        stream_reaches_the_log(&world).await;
        standing_by.resume().await;
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_that_both_believe_to_hold_the_lease_leave_no_gap_and_no_double() {
    let world = World::with(&[], &["projections", "relay", "relay", "relay"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    for _ in 0..10 {
        let steal = sqlx::query("UPDATE leases SET held_until = '-infinity' WHERE name = 'relay'");
        let ((), stolen) = tokio::join!(talk(&user, &chat, 20), steal.execute(&world.pool));
        assert_eq!(stolen.unwrap().rows_affected(), 1);
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_put_back_to_an_older_copy_of_its_store_is_filled_from_the_log() {
    let mut world = World::start().await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let mut socket = Socket::open(&user, None).await;
    let after = socket.frames[0]["payload"]["position"].as_i64().unwrap();
    talk(&user, &chat, 20).await;
    stream_reaches_the_log(&world).await;
    let store = world.nats_store.clone();
    let copy = folder("store").join("copy");
    let (from, to) = (store.clone(), copy.clone());
    world
        .with_nats(move |nats| {
            nats.stop().unwrap();
            copy_all(&from, &to);
            nats.restart().unwrap();
        })
        .await;
    talk(&user, &chat, 20).await;
    stream_reaches_the_log(&world).await;
    world
        .with_nats(move |nats| {
            nats.stop().unwrap();
            put_back(&copy, &store);
            nats.restart().unwrap();
        })
        .await;
    talk(&user, &chat, 20).await;
    stream_reaches_the_log(&world).await;
    let last = user.say(&chat, &json!({ "type": "text", "content": "the last one" })).await;
    socket.until(|frame| frame["payload"]["message"]["content"] == "the last one").await;
    last.expect(201);
    world.check(&[]).await;
    let order = user.order("after all of it").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    socket.until(|frame| frame["type"] == "generation:completed").await;
    world.check(&[Seen { user: user.user_id(), after, ids: socket.ids() }]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_dropped_what_it_held_goes_on_at_its_place_and_no_client_misses_a_frame() {
    let world = World::start().await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let mut socket = Socket::open(&user, None).await;
    let after = socket.frames[0]["payload"]["position"].as_i64().unwrap();
    talk(&user, &chat, 20).await;
    stream_reaches_the_log(&world).await;
    let context = jetstream(&world.surroundings.nats_url).await;
    let config = context.get_stream("ROUTIX_EVENTS").await.unwrap().cached_info().config.clone();
    let config = async_nats::jetstream::stream::Config { max_messages: 1, ..config };
    tokio::join!(talk(&user, &chat, 20), async { drop(context.update_stream(config).await.unwrap()) });
    // The assistant has answered everything, so the frames of the order are the last ones.
    world.check(&[]).await;
    let order = user.order("after the purge").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    socket.until(|frame| frame["type"] == "generation:completed").await;
    world.check(&[Seen { user: user.user_id(), after, ids: socket.ids() }]).await;
}
