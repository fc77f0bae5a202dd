//! kill -9 in the middle: whoever comes next finishes the work, once.

use futures::future::join_all;
use serde_json::json;

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::world::World;

async fn orders(user: &Client, count: usize) -> Vec<String> {
    let answers = join_all((0..count).map(|n| {
        let user = user.clone();
        async move { user.order(&format!("Epic battle number {n}")).await.expect(201) }
    }))
    .await;
    answers.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_worker_killed_in_the_middle_is_taken_over_and_charges_once() {
    let mut world = World::with(&[], &["relay", "projections", "timers", "generation"]).await;
    let user = world.user().await;
    let requests = orders(&user, 6).await;
    eventually("a provider is being called", || async {
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM events AS started WHERE event_type = 'AttemptStarted' AND NOT EXISTS ( \
                 SELECT 1 FROM events AS done WHERE done.aggregate_id = started.aggregate_id \
                   AND done.event_type = 'GenerationCompleted')",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        (open > 0).then_some(())
    })
    .await;
    let worker = world.workers.pop().unwrap();
    let worker = worker.kill_and_restart(&world.surroundings).await;
    for request in &requests {
        assert_eq!(user.finished(request).await["status"], "completed");
    }
    world.check(&[]).await;
    let kinds = user.ledger().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "settle").count(), requests.len());
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_under_load_leaves_no_gap_and_no_double_in_the_stream() {
    let mut world = World::with(&[], &["projections", "generation", "relay"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    for round in 0..3 {
        let talk = join_all((0..30).map(|n| {
            let (user, chat) = (user.clone(), chat.clone());
            async move {
                let message = json!({ "type": "text", "content": format!("round {round} message {n}") });
                user.say(&chat, &message).await.expect(201)
            }
        }));
        let relay = world.workers.pop().unwrap();
        let (_, relay) = tokio::join!(talk, relay.kill_and_restart(&world.surroundings));
        world.workers.push(relay);
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_worker_killed_under_load_applies_every_event_once() {
    let mut world = World::with(&[], &["relay", "generation", "assistant", "projections"]).await;
    let user = world.user().await;
    for _ in 0..3 {
        let work = orders(&user, 3);
        let projections = world.workers.pop().unwrap();
        let (_, projections) = tokio::join!(work, projections.kill_and_restart(&world.surroundings));
        world.workers.push(projections);
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_after_it_stored_a_command_gives_the_same_answer_when_asked_again() {
    let mut world = World::start().await;
    let user = world.user().await;
    let order = json!({ "prompt": "asked twice", "algorithm_id": "routix_v1" });
    let first = user.post_with_key("/api/v1/generation/create", &order, "k").await.expect(201);
    world.server.kill().await;
    world.server = world.surroundings.start(&["serve"]).await;
    let user = user.at(&world.server.address);
    let again = user.post_with_key("/api/v1/generation/create", &order, "k").await.expect(201);
    assert_eq!(first, again);
    user.finished(first["id"].as_str().unwrap()).await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_go_on_while_nats_is_down_and_everything_catches_up_afterwards() {
    let mut world = World::start().await;
    let user = world.user().await;
    let before = orders(&user, 1).await;
    user.finished(&before[0]).await;
    world.with_nats(|nats| nats.stop().unwrap()).await;
    // Nothing but NATS is missing: the request is accepted, drawn and finished.
    let during = orders(&user, 2).await;
    for request in &during {
        assert_eq!(user.finished(request).await["status"], "completed");
    }
    let health = user.get("/health/detailed").await;
    assert_eq!((health.status.as_u16(), &health.body["status"]), (200, &json!("degraded")));
    world.with_nats(|nats| nats.restart().unwrap()).await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_deleted_is_filled_again_from_the_log() {
    use crate::support::checker::jetstream;
    let world = World::start().await;
    let user = world.user().await;
    let request = orders(&user, 1).await.remove(0);
    user.finished(&request).await;
    let context = jetstream(&world.surroundings.nats_url).await;
    context.delete_stream("ROUTIX_EVENTS").await.unwrap();
    let request = orders(&user, 1).await.remove(0);
    user.finished(&request).await;
    eventually("the stream is there again", || async { context.get_stream("ROUTIX_EVENTS").await.ok() })
        .await;
    world.check(&[]).await;
}
