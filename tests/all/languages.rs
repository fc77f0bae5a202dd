//! A person is answered in the language that their client asks for, wherever a sentence is read.

use domain::Credits;
use domain::conversation::Line;
use domain::generation_request::{FailureReason, Status};
use domain::language::Language::{English, German};
use serde_json::{Value, json};

use crate::support::checker::{read_log, word_is_nowhere};
use crate::support::client::Client;
use crate::support::socket::Socket;
use crate::support::world::World;

const GERMAN_CLIENT: &str = "de-AT, fr;q=0.9, en;q=0.5";

/// Orders a picture in a chat, and checks what the assistant says on the way.
async fn order_in_german(user: &Client, socket: &mut Socket, chat: &str) -> Value {
    user.say(chat, &json!({ "type": "text", "content": "Calm cooking video" })).await.expect(201);
    assert_eq!(socket.until_message("text").await["content"], Line::GotIt.text(German));
    let offer = socket.until_message("algorithm_select").await;
    assert_eq!(offer["content"], Line::WhichVersion.text(German));
    let choice = json!({ "type": "algorithm_selection", "metadata": { "algorithm_id": "routix_lightning" } });
    user.say(chat, &choice).await.expect(201);
    assert_eq!(socket.until_message("upload_request").await["content"], Line::AddPicture.text(German));
    user.say(chat, &json!({ "type": "text", "content": "skip" })).await.expect(201);
    assert_eq!(socket.until_message("text").await["content"], Line::Perfect.text(German));
    socket.until_message("thumbnail_result").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_german_reads_german_in_frames_messages_and_answers() {
    let world = World::start().await;
    let user = world.user().await.speaking(GERMAN_CLIENT);
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    let card = order_in_german(&user, &mut socket, &chat).await;
    assert_eq!(card["content"], Line::Ready.text(German));

    let mut shown = 0;
    for frame in socket.frames.iter().filter(|frame| frame["type"] == "generation:progress") {
        let status = Status::parse(frame["payload"]["status"].as_str().unwrap()).unwrap();
        assert_eq!(frame["payload"]["message"], status.sentence(German));
        shown += 1;
    }
    assert!(shown >= 4, "every rung was shown, and perhaps the drawing: {shown}");

    user.saw(*socket.ids().last().unwrap());
    let messages = user.get_seen(&format!("/api/v1/chat/conversations/{chat}/messages")).await.expect(200);
    let said: Vec<&Value> = messages["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "assistant")
        .map(|message| &message["content"])
        .collect();
    let lines = [Line::GotIt, Line::WhichVersion, Line::AddPicture, Line::Perfect, Line::Ready];
    assert_eq!(said, lines.map(|line| line.text(German)).iter().collect::<Vec<_>>());

    let path = format!("/api/v1/generation/{}/status", card["metadata"]["request_id"].as_str().unwrap());
    assert_eq!(user.get_seen(&path).await.expect(200)["message"], Status::Completed.sentence(German));
    let in_english = user.speaking("en").get_seen(&path).await.expect(200);
    assert_eq!(
        in_english["message"],
        Status::Completed.sentence(English),
        "an answer follows its own request"
    );
    let welcome = user.get("/api/v1/chat/suggestions").await.expect(200);
    assert_eq!(welcome["greeting"], domain::conversation::lines::welcome("Ada", German).greeting);

    world.check(&[]).await;
    the_log_keeps_lines_and_no_texts(&world, &user).await;
}

/// Key, arguments and language are stored, and every step that the request led to kept the language.
async fn the_log_keeps_lines_and_no_texts(world: &World, user: &Client) {
    let log = read_log(&world.pool).await;
    let spoken: Vec<&Value> = log
        .iter()
        .filter(|event| event.event == "MessagePosted" && event.payload["role"] == "assistant")
        .map(|event| &event.payload["content"])
        .collect();
    let keys = ["got_it", "which_version", "add_picture", "perfect", "ready"];
    let expected = keys.map(|key| json!({ "spoken": { "line": { "key": key }, "language": "de" } }));
    assert_eq!(spoken, expected.iter().collect::<Vec<_>>());
    for event in log.iter().filter(|event| event.owner == Some(user.user_id())) {
        let is_of_order = ["conversation", "generation_request"].contains(&event.aggregate.as_str());
        assert!(!is_of_order || event.metadata["language"] == "de", "{} at {}", event.event, event.position);
    }
    for text in [Line::GotIt.text(German), Line::Ready.text(German)] {
        word_is_nowhere(&world.pool, &world.surroundings.nats_url, &text).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_fires_later_still_speaks_the_language_of_the_order() {
    // Nobody generates: only the deadline can end the request.
    let deadline = ("ROUTIX_GENERATION_DEADLINE_SECONDS", "1");
    let world = World::with(&[deadline], &["projections", "relay", "timers"]).await;
    let user = world.user().await.speaking(GERMAN_CLIENT);
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    let order = json!({ "prompt": "never drawn", "algorithm_id": "routix_v1", "conversation_id": chat });
    let order = user.post("/api/v1/generation/create", &order).await.expect(201);
    let failed = socket.until(|frame| frame["type"] == "generation:failed").await;
    let late = FailureReason::TimedOut;
    assert_eq!(failed["payload"]["error"], late.sentence(German));
    let said = socket.until_message("text").await;
    let line = Line::Failed { reason: late, returned: Credits(2) };
    assert_eq!(said["content"], line.text(German));
    assert_eq!(said["metadata"], json!({ "line": "failed", "is_final": true }));
    let status = user.finished(order["id"].as_str().unwrap()).await;
    assert_eq!(status["message"], late.sentence(German));
    world.check(&[]).await;
}
