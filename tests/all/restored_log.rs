//! A log that was put back to an earlier state: it is noticed before a position is used a second time, and
//! mended from the stream, or made another log.

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::support::checker::jetstream;
use crate::support::client::{Answer, Client};
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

async fn finished_order(user: &Client, prompt: &str) -> Value {
    let order = user.order(prompt).await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    order
}

/// Waits until the stream holds all of the log.
async fn all_published(world: &World) -> i64 {
    let context = jetstream(&world.surroundings.nats_url).await;
    eventually("the stream reaches the log", || async {
        let state = context.get_stream("ROUTIX_EVENTS").await.ok()?.cached_info().state.clone();
        let head = world.head().await;
        (state.last_sequence == u64::try_from(head).unwrap()).then_some(head)
    })
    .await
}

/// Sends commands from the moment on in which the database is back, until the process has noticed that the
/// log lost its end. Not one of them may have an effect.
async fn refuses_every_command(user: &Client) {
    eventually("the process says why it does nothing", || async {
        let answers =
            join_all((0..5).map(|n| async move { user.order(&format!("too early {n}")).await })).await;
        assert!(answers.iter().all(|answer| answer.status == 503), "{answers:?}");
        answers.iter().all(|answer| answer.body["code"] == "log_rewound").then_some(())
    })
    .await;
    assert_eq!(user.get("/health").await.status, 503);
    let detailed = user.get("/health/detailed").await;
    assert_eq!(detailed.status, 503);
    let faults = detailed.body["faults"].to_string();
    assert!(faults.contains("log_rewound"), "{faults}");
}

async fn healthy_again(user: &Client) {
    eventually("the process goes on", || async { (user.get("/health").await.status == 200).then_some(()) })
        .await;
}

type Key = (Uuid, Option<Vec<u8>>);

async fn keys(pool: &PgPool) -> Vec<Key> {
    let rows = sqlx::query("SELECT owner, wrapped FROM data_keys").fetch_all(pool).await.unwrap();
    rows.iter().map(|row| (row.get("owner"), row.get("wrapped"))).collect()
}

async fn put_keys_back(pool: &PgPool, keys: &[Key]) {
    for (owner, wrapped) in keys {
        sqlx::query("INSERT INTO data_keys (owner, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(owner)
            .bind(wrapped)
            .execute(pool)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_restored_to_an_earlier_state_reuses_no_position_and_is_recovered_from_the_stream() {
    let mut world = World::on_own_postgres().await;
    let user = world.user().await;
    finished_order(&user, "before the backup").await;
    let backup = world.back_up().await;
    let kept = eventually("the server is back", || async {
        (user.get("/health").await.status == 200).then_some(())
    });
    kept.await;
    let old_head = world.head().await;
    let order = json!({ "prompt": "after the backup", "algorithm_id": "routix_v1" });
    let lost = user.post_with_key("/api/v1/generation/create", &order, "lost").await.expect(201);
    user.finished(lost["id"].as_str().unwrap()).await;
    let newcomer = world.user().await;
    finished_order(&newcomer, "by somebody whom the backup does not know").await;
    let head = all_published(&world).await;
    let kept_keys = keys(&world.pool).await;

    world.restore(&backup).await;
    refuses_every_command(&user).await;
    assert_eq!(world.head().await, old_head, "no position was used again");
    // One that starts now finds it too.
    let second = world.surroundings.start(&["serve"]).await;
    refuses_every_command(&user.at(&second.address)).await;
    assert_eq!(world.head().await, old_head, "no position was used again");

    put_keys_back(&world.pool, &kept_keys).await;
    let (success, printed) = world.routix(&["log", "recover", "--yes"]).await;
    assert!(success, "{printed}");
    assert!(printed.contains(&format!("positions {} to {head}", old_head + 1)), "{printed}");
    assert!(!printed.contains("stay sealed"), "{printed}");
    assert_eq!(world.head().await, head);
    healthy_again(&user).await;
    healthy_again(&user.at(&second.address)).await;

    // The effect is there once; the first answer is not.
    let again: Answer = user.post_with_key("/api/v1/generation/create", &order, "lost").await;
    again.expect_problem(409, "outcome_forgotten");
    assert_eq!(user.finished(lost["id"].as_str().unwrap()).await["status"], "completed");
    // The name of the newcomer is claimed again: it finds its owner, and nobody else gets it.
    let email = newcomer.user["email"].as_str().unwrap();
    let back = Client::log_in(&world.server.address, &world.told, email, "correct horse").await;
    finished_order(&back, "after the recovery").await;
    let twice = json!({ "email": email, "username": "Twin", "password": "correct horse" });
    world.anonymous().post("/api/v1/auth/register", &twice).await.expect_problem(409, "taken");
    let (sound, printed) = world.routix(&["log", "verify"]).await;
    assert!(sound && printed.contains("all equal"), "{printed}");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_sealed_with_a_key_that_the_restore_lost_come_back_sealed_and_disturb_nobody() {
    let mut world = World::on_own_postgres().await;
    let user = world.user().await;
    let backup = world.back_up().await;
    healthy_again(&user).await;
    let newcomer = world.user().await;
    let order = finished_order(&newcomer, "words of somebody without a key").await;
    all_published(&world).await;
    world.restore(&backup).await;
    refuses_every_command(&user).await;
    let (success, printed) = world.routix(&["log", "recover", "--yes"]).await;
    assert!(success, "{printed}");
    assert!(printed.contains("stay sealed: the keys of 1 people"), "{printed}");
    assert!(printed.contains("1 unique names could not be read"), "{printed}");
    healthy_again(&user).await;
    // What the newcomer does from now on is sealed for good as well, and everything of it can be read past.
    let status = newcomer.finished(order["id"].as_str().unwrap()).await;
    assert_eq!(status["status"], "completed");
    finished_order(&newcomer, "these words are lost at once").await;
    finished_order(&user, "by somebody who has a key").await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_that_becomes_another_one_tells_everybody_to_reset() {
    let mut world = World::on_own_postgres().await;
    let user = world.user().await;
    finished_order(&user, "before the backup").await;
    let backup = world.back_up().await;
    healthy_again(&user).await;
    let mut socket = Socket::open(&user, None).await;
    let old_log = socket.frames[0]["payload"]["log_id"].as_str().unwrap().to_owned();
    let old_head = world.head().await;
    finished_order(&user, "given up").await;
    all_published(&world).await;
    world.restore(&backup).await;
    refuses_every_command(&user).await;

    let (success, printed) = world.routix(&["log", "recover", "--new-log"]).await;
    assert!(success, "{printed}");
    world.told.give_up_after(old_head);
    healthy_again(&user).await;
    let reset = socket.until(|frame| frame["type"] == "reset").await;
    let new_log = reset["payload"]["log_id"].as_str().unwrap().to_owned();
    assert_ne!(new_log, old_log);
    assert_eq!(reset["payload"]["reason"], "log_replaced");
    let start = reset["payload"]["position"].as_i64().unwrap();
    assert_eq!(start, old_head);

    // Whoever comes back with the old log is told so at once, whoever knows the new one is not.
    let token = &user.token;
    let query = format!("token={token}&since={old_head}&log={old_log}");
    let mut stale = Socket::try_open(&user.server, &query).await.unwrap();
    assert_eq!(stale.next().await["type"], "connection:established");
    assert_eq!(stale.next().await["payload"]["reason"], "log_replaced");
    let order = finished_order(&user, "in the new log").await;
    let query = format!("token={token}&since={old_head}&log={new_log}");
    let mut known = Socket::try_open(&user.server, &query).await.unwrap();
    known.next().await;
    assert_ne!(known.next().await["type"], "reset");
    let request = user.request(reqwest::Method::GET, "/api/v1/events/stream");
    let answer = request.header("Last-Event-ID", format!("{old_log}:{old_head}")).send().await.unwrap();
    assert!(first_frames(answer).await.contains("log_replaced"));
    // The socket that was open all the time goes on behind the reset.
    socket
        .until(|frame| {
            frame["type"] == "generation:completed" && frame["payload"]["request_id"] == order["id"]
        })
        .await;
    let (sound, printed) = world.routix(&["log", "verify"]).await;
    assert!(sound && printed.contains("all equal"), "{printed}");
    world.check(&[]).await;
}

/// The beginning of a stream of server-sent events: its first two frames.
async fn first_frames(answer: reqwest::Response) -> String {
    use futures::StreamExt;
    let mut body = answer.bytes_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < 2 {
        let chunk = tokio::time::timeout(crate::support::PATIENCE, body.next()).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_that_loses_what_a_process_was_told_is_noticed_while_nats_is_away() {
    let mut world = World::on_own_postgres().await;
    let user = world.user().await;
    let backup = world.back_up().await;
    healthy_again(&user).await;
    let old_head = all_published(&world).await;
    world.with_nats(|nats| nats.stop().unwrap()).await;
    user.order("nobody but the process knows of this").await.expect(201);
    world.restore(&backup).await;
    refuses_every_command(&user).await;
    assert_eq!(world.head().await, old_head, "no position was used again");
    world.with_nats(|nats| nats.restart().unwrap()).await;
    // It comes back only where a relay had it on its way to NATS, in what its client sends once it is connected.
    let (success, printed) = world.routix(&["log", "recover", "--yes"]).await;
    let is_whole = printed.contains("holds everything that the stream holds") || printed.contains("put back");
    assert!(success && is_whole, "{printed}");
    let (success, printed) = world.routix(&["log", "recover", "--new-log"]).await;
    assert!(success, "{printed}");
    world.told.give_up_after(old_head);
    healthy_again(&user).await;
    finished_order(&user, "in the new log").await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_history_is_refused_by_recover() {
    let mut world = World::on_own_postgres().await;
    let user = world.user().await;
    let backup = world.back_up().await;
    healthy_again(&user).await;
    all_published(&world).await;
    finished_order(&user, "one history").await;
    all_published(&world).await;
    world.restore(&backup).await;
    refuses_every_command(&user).await;
    // Somebody who asks no witness makes another history of the log.
    let forge = "INSERT INTO events SELECT position + 1, aggregate_type, aggregate_id, sequence + 1, event_type, \
         event_version, payload, metadata, gen_random_uuid(), owner_id, recorded_at, sha256('another'), authentication \
         FROM events ORDER BY position DESC LIMIT 1";
    sqlx::query(forge).execute(&world.pool).await.unwrap();
    let head = world.head().await;
    let (success, printed) = world.routix(&["log", "recover", "--yes"]).await;
    assert!(!success, "{printed}");
    assert!(printed.contains("another history") && printed.contains("--new-log"), "{printed}");
    assert_eq!(world.head().await, head, "nothing was put back");
    refuses_every_command(&user).await;
}
