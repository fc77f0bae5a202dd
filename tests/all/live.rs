//! The live stream: nothing is missed, nothing comes twice, nobody sees what is somebody else's.

use futures::StreamExt;
use serde_json::json;

use crate::support::checker::Seen;
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_dropped_gets_exactly_what_it_missed() {
    let world = World::start().await;
    let (user, stranger) = (world.user().await, world.user().await);
    let mut elsewhere = Socket::open(&stranger, None).await;
    let mut socket = Socket::open(&user, None).await;
    let start = socket.frames[0]["payload"]["position"].as_i64().unwrap();
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "Travel vlog" })).await.expect(201);
    let seen = socket.until(|frame| frame["type"] == "chat:message").await["id"].as_i64().unwrap();
    let mut ids = socket.ids();
    drop(socket);

    // While it is away: the rest of the chat and a whole generation.
    let order = user.order("missed while away").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    let mut again = Socket::open(&user, Some(seen)).await;
    again.until(|frame| frame["type"] == "generation:completed").await;
    let order = user.order("seen live again").await.expect(201);
    let request = order["id"].clone();
    again
        .until(|frame| frame["type"] == "generation:completed" && frame["payload"]["request_id"] == request)
        .await;
    ids.extend(again.ids());
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "in order and none twice: {ids:?}");
    // The stranger's socket has seen nothing of it: the first frame it gets is the stranger's own.
    let own = stranger.start_chat().await;
    stranger.say(&own, &json!({ "type": "text", "content": "my own wish" })).await.expect(201);
    let first = elsewhere.next().await;
    assert_eq!(first["payload"]["conversation_id"], own.as_str(), "{first}");
    world.check(&[Seen { user: user.user_id(), after: start, ids }]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sockets_of_one_person_both_get_every_frame() {
    let world = World::start().await;
    let user = world.user().await;
    let (mut one, mut two) = (Socket::open(&user, None).await, Socket::open(&user, None).await);
    let order = user.order("for both").await.expect(201);
    for socket in [&mut one, &mut two] {
        socket.until(|frame| frame["type"] == "generation:completed").await;
    }
    assert_eq!(one.ids(), two.ids());
    user.finished(order["id"].as_str().unwrap()).await;
    drop((one, two));
    eventually("the places of closed sockets are given up", || async {
        let health = user.get("/health/detailed").await.body;
        (health["connections"]["sockets"] == 0).then_some(())
    })
    .await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_carry_the_same_frames_and_resume_by_last_event_id() {
    let world = World::start().await;
    let user = world.user().await;
    let order = user.order("before the stream").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    let mut socket = Socket::open(&user, Some(0)).await;
    socket.until(|frame| frame["type"] == "generation:completed").await;
    let request = user.request(reqwest::Method::GET, "/api/v1/events/stream").header("Last-Event-ID", "0");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.bytes_stream();
    let mut text = String::new();
    while !text.contains("generation:completed") {
        let chunk = tokio::time::timeout(crate::support::PATIENCE, body.next()).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    let ids: Vec<i64> =
        text.lines().filter_map(|line| line.strip_prefix("id: ")?.trim().parse().ok()).collect();
    assert_eq!(ids, socket.ids());
    for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let frame: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(frame["type"].is_string() && frame["payload"].is_object());
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_and_a_position_ahead_of_the_log_gives_reset() {
    let world = World::start().await;
    let user = world.user().await;
    let ticket = user.post("/api/v1/auth/ticket", &json!({})).await.expect(201);
    let query = format!("ticket={}", ticket["ticket"].as_str().unwrap());
    let mut first = Socket::try_open(&user.server, &query).await.unwrap();
    assert_eq!(first.next().await["type"], "connection:established");
    assert!(Socket::try_open(&user.server, &query).await.is_err(), "a ticket is good for one use");
    assert!(Socket::try_open(&user.server, "token=nonsense").await.is_err());
    assert!(Socket::try_open(&user.server, &format!("token={}", user.token)).await.is_ok());
    user.get("/ws").await.expect_problem(400, "malformed");
    let mut ahead = Socket::open(&user, Some(1_000_000)).await;
    assert_eq!(ahead.next().await["type"], "reset");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_shown_before_and_taken_back_after_the_message() {
    let world = World::start().await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "Epic battle" })).await.expect(201);
    socket.until(|frame| frame["type"] == "chat:typing" && frame["payload"]["is_typing"] == false).await;
    let order: Vec<String> = socket
        .frames
        .iter()
        .filter(|frame| frame["payload"]["message"]["role"] != "user")
        .map(|frame| match frame["type"].as_str().unwrap() {
            "chat:typing" => format!("typing {}", frame["payload"]["is_typing"]),
            _ => frame["payload"]["message"]["type"].as_str().unwrap_or("-").to_owned(),
        })
        .collect();
    assert_eq!(order, ["-", "typing true", "text", "algorithm_select", "typing false"]);
    assert!(socket.frames.iter().filter(|frame| frame["type"] == "chat:typing").all(|f| f["id"].is_null()));
    world.check(&[]).await;
}
