//! Money: nobody spends what they do not have, nobody pays twice, nothing is kept for what was not made.

use domain::Credits;
use domain::conversation::Line;
use domain::generation_request::FailureReason;
use domain::language::Language;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_orders_at_once_with_credits_for_three_accept_exactly_three() {
    // Routix v1 costs 2 credits.
    let world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "7")], &["all"]).await;
    let user = world.user().await;
    let answers = join_all((0..50).map(|n| {
        let user = user.clone();
        async move { user.order(&format!("thumbnail number {n}")).await }
    }))
    .await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(accepted.len(), 3);
    for answer in refused {
        let problem = answer.expect_problem(402, "insufficient_credits");
        assert_eq!((&problem["balance"], &problem["required"]), (&json!(1), &json!(2)));
    }
    for answer in accepted {
        user.finished(answer.body["id"].as_str().unwrap()).await;
    }
    world.check(&[]).await;
    let balance = user.balance().await;
    assert_eq!((&balance["balance"], &balance["held"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twenty_times_at_once_has_one_effect_and_one_answer() {
    let world = World::start().await;
    let user = world.user().await;
    let order = json!({ "prompt": "one and only", "algorithm_id": "routix_v1" });
    let answers = join_all((0..20).map(|_| {
        let (user, order) = (user.clone(), order.clone());
        async move { user.post_with_key("/api/v1/generation/create", &order, "\"the key\"").await }
    }))
    .await;
    let first = answers[0].clone().expect(201);
    for answer in answers {
        assert_eq!(
            answer.header("routix-position"),
            first["position"].as_i64().map(|p| p.to_string()).as_deref()
        );
        assert_eq!(answer.expect(201), first);
    }
    let other = json!({ "prompt": "something else", "algorithm_id": "routix_v1" });
    let reused = user.post_with_key("/api/v1/generation/create", &other, "the key").await;
    reused.expect_problem(422, "idempotency_key_reused");
    user.finished(first["id"].as_str().unwrap()).await;
    world.check(&[]).await;
    let list = user.get("/api/v1/generation").await.expect(200);
    assert_eq!(list["total"], 1);
    assert_eq!(user.ledger().await, ["grant", "hold", "settle"]);
    // Another person's same key is another command.
    let somebody = world.user().await;
    let theirs = somebody.post_with_key("/api/v1/generation/create", &order, "the key").await.expect(201);
    assert_ne!(theirs["id"], first["id"]);
    world.check(&[]).await;
}

/// Orders in a chat what the user cannot pay, and gives the answer of the assistant.
async fn refused_order(user: &Client) -> Value {
    let mut socket = Socket::open(user, None).await;
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "Epic battle" })).await.expect(201);
    let choice = json!({ "type": "algorithm_selection", "metadata": { "algorithm_id": "routix_pro" } });
    user.say(&chat, &choice).await.expect(201);
    socket.until_message("upload_request").await;
    user.say(&chat, &json!({ "type": "text", "content": "skip" })).await.expect(201);
    socket.until_message("text").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_is_told_in_the_chat_and_charges_nothing() {
    let world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "1")], &["all"]).await;
    let user = world.user().await;
    let refusal = refused_order(&user).await;
    let line = Line::NotEnoughCredits { required: Credits(4), available: Credits(1) };
    assert_eq!(refusal["content"], line.text(Language::English));
    assert_eq!(refusal["metadata"], json!({ "line": line.key(), "is_final": true }));
    world.check(&[]).await;
    assert_eq!(user.balance().await["balance"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_refused_is_not_carried_out_by_a_worker_that_takes_over() {
    let world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "1")], &["all"]).await;
    let (user, admin) = (world.user().await, world.admin().await);
    refused_order(&user).await;
    let is_done = "SELECT done_at IS NOT NULL FROM work WHERE task = 'start_generation'";
    let done = || async {
        let is_done: bool = sqlx::query_scalar(is_done).fetch_one(&world.pool).await.unwrap();
        is_done.then_some(())
    };
    eventually("the order is dealt with", done).await;
    let path = format!("/api/v1/admin/users/{}/credits", user.user_id());
    admin.post(&path, &json!({ "amount": 20 })).await.expect_ok();
    // As if the worker had died before it could say that it was done. By now the order could be paid.
    sqlx::query("UPDATE work SET done_at = NULL WHERE task = 'start_generation'")
        .execute(&world.pool)
        .await
        .unwrap();
    eventually("another worker has dealt with the order", done).await;
    user.saw(world.head().await);
    let list = user.get_seen("/api/v1/generation").await.expect(200);
    assert_eq!(list["total"], 0, "{list}");
    assert_eq!(user.ledger().await, ["grant", "adjust"]);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_done_in_time_ends_by_itself_and_gives_its_credits_back() {
    // Nobody generates: only the deadline can end the request.
    let world =
        World::with(&[("ROUTIX_GENERATION_DEADLINE_SECONDS", "1")], &["projections", "relay", "timers"])
            .await;
    let user = world.user().await;
    let order = user.order("never drawn").await.expect(201);
    let status = user.finished(order["id"].as_str().unwrap()).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["message"], FailureReason::TimedOut.sentence(Language::English));
    assert_eq!(user.ledger().await, ["grant", "hold", "release"]);
    assert_eq!(user.balance().await["balance"], 25);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_the_credits_back_once() {
    let world = World::with(&[], &["projections", "relay"]).await;
    let user = world.user().await;
    let order = user.order("never mind").await.expect(201);
    let path = format!("/api/v1/generation/{}/cancel", order["id"].as_str().unwrap());
    let cancels = join_all((0..5).map(|_| async { user.post(&path, &json!({})).await })).await;
    for cancelled in &cancels {
        assert_eq!(cancelled.status, 204, "{}", cancelled.body);
    }
    let balance = user.balance().await;
    assert_eq!((&balance["balance"], &balance["held"]), (&json!(25), &json!(0)));
    let stranger = world.user().await;
    stranger.post(&path, &json!({})).await.expect_problem(404, "not_found");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warning_comes_once_when_the_balance_falls_below_the_threshold() {
    let world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "6"), ("ROUTIX_LOW_CREDITS", "5")], &["all"]).await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    for prompt in ["first", "second"] {
        let order = user.order(prompt).await.expect(201);
        user.finished(order["id"].as_str().unwrap()).await;
        socket.until(|frame| frame["type"] == "generation:completed").await;
    }
    let warnings: Vec<_> =
        socket.frames.iter().filter(|frame| frame["type"] == "system:credits_low").collect();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0]["payload"]["current_credits"], 4);
    assert_eq!(warnings[0]["payload"]["threshold"], 5);
    world.check(&[]).await;
}
