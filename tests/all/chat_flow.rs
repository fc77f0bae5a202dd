//! The main job over HTTP and the socket alone: ask, choose, upload a face, watch, fetch the result.

use domain::conversation::Line;
use domain::generation_request::Status;
use domain::language::Language;
use serde_json::json;

use crate::support::checker::{self, Seen};
use crate::support::picture::png;
use crate::support::socket::Socket;
use crate::support::world::World;

/// The marker stands in prompts and messages. Sealed, it can be found nowhere in the log or the stream.
const MARKER: &str = "zanzibarquux";

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_message_becomes_a_finished_thumbnail() {
    let world = World::start().await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    let wish =
        json!({ "type": "text", "content": format!("Create gaming thumbnail with explosions {MARKER}") });

    let posted = user.say(&chat, &wish).await.expect(201);
    assert_eq!((&posted["role"], &posted["type"]), (&json!("user"), &json!("text")));
    let acknowledged = socket.until_message("text").await;
    assert_eq!(acknowledged["content"], Line::GotIt.text(Language::English));
    assert_eq!(acknowledged["metadata"], json!({ "line": "got_it", "is_final": false }));
    let offer = socket.until_message("algorithm_select").await;
    let options = offer["metadata"]["options"].as_array().unwrap();
    let names: Vec<&str> = options.iter().map(|option| option["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "Routix v1");
    assert_eq!(names.len(), 3);
    for option in options {
        assert!(option["id"].is_string() && option["slug"].is_string() && option["credit_cost"].is_u64());
    }

    let choice = json!({
        "type": "algorithm_selection", "content": "Routix v1", "metadata": { "algorithm_id": "routix_v1" }
    });
    let chosen = user.say(&chat, &choice).await.expect(201);
    assert_eq!(chosen["metadata"]["algorithm_id"], options[0]["id"], "the slug was resolved");
    let request = socket.until_message("upload_request").await;
    assert_eq!(request["metadata"]["line"], "add_picture");
    assert_eq!(request["metadata"]["accepted_types"], json!(["image/png", "image/jpeg", "image/webp"]));

    let face = user.upload(png([200, 150, 120]), "me.png", "face").await.expect(201);
    let upload = json!({
        "type": "file_upload", "content": "my face", "metadata": { "asset_id": face["id"], "asset_type": "face" }
    });
    user.say(&chat, &upload).await.expect(201);
    let card = socket.until_message("thumbnail_result").await;
    assert_eq!(card["metadata"]["actions"], json!(["download", "regenerate", "share"]));
    assert_eq!(card["metadata"]["algorithm"], "Routix v1");
    assert!(card["metadata"]["generation_time"].as_str().unwrap().ends_with('s'));

    stages_arrive_in_order(&socket, card["metadata"]["request_id"].as_str().unwrap());
    let image = user.get(card["metadata"]["image_url"].as_str().unwrap()).await;
    assert_eq!((image.status.as_u16(), image.content_type.as_str()), (200, "image/png"));
    let picture = image::load_from_memory(&image.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (1280, 720));

    regenerating_is_a_request_of_its_own(&user, &mut socket, &card).await;
    user.saw(*socket.ids().last().unwrap());
    assert_eq!(user.ledger().await, ["grant", "hold", "settle", "hold", "settle"]);

    let seen = Seen { user: user.user_id(), after: start_of(&socket), ids: socket.ids() };
    world.check(&[seen]).await;
    checker::word_is_nowhere(&world.pool, &world.surroundings.nats_url, MARKER).await;
}

/// The position at which the socket was opened.
fn start_of(socket: &Socket) -> i64 {
    socket.frames[0]["payload"]["position"].as_i64().unwrap()
}

fn stages_arrive_in_order(socket: &Socket, request: &str) {
    let frames: Vec<_> =
        socket.frames.iter().filter(|frame| frame["payload"]["request_id"] == request).collect();
    let mut last = 0;
    let mut stored = Vec::new();
    for frame in &frames {
        if let Some(progress) = frame["payload"]["progress"].as_i64() {
            assert!(progress >= last, "progress never falls: {progress} after {last}");
            last = progress;
            if frame["id"].is_i64() {
                let payload = &frame["payload"];
                stored.push((
                    payload["status"].as_str().unwrap(),
                    progress,
                    payload["message"].as_str().unwrap(),
                ));
            }
        }
    }
    assert_eq!(
        stored,
        [
            ("analyzing", 10, Status::Analyzing.sentence(Language::English)),
            ("searching", 30, Status::Searching.sentence(Language::English)),
            ("composing", 50, Status::Composing.sentence(Language::English)),
            ("generating", 70, Status::Generating.sentence(Language::English)),
        ]
    );
    let completed: Vec<_> = frames.iter().filter(|frame| frame["type"] == "generation:completed").collect();
    assert_eq!(completed.len(), 1, "completed once");
    assert_eq!(completed[0]["payload"]["algorithm_used"], "Routix v1");
    assert!(completed[0]["payload"]["processing_time"].as_f64().unwrap() > 0.0);
}

async fn regenerating_is_a_request_of_its_own(
    user: &crate::support::client::Client,
    socket: &mut Socket,
    card: &serde_json::Value,
) {
    let first = card["metadata"]["request_id"].as_str().unwrap();
    let path = format!("/api/v1/generation/{first}/regenerate");
    let again = user.post(&path, &json!({})).await.expect(201);
    assert_ne!(again["id"], first);
    let second = socket.until_message("thumbnail_result").await;
    assert_eq!(second["metadata"]["request_id"], again["id"]);
    let list = user.get("/api/v1/generation").await.expect(200);
    assert_eq!(list["generations"][0]["regenerated_from"], first);
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_goes_on_without_a_picture_and_the_chat_gets_a_title() {
    let world = World::start().await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "Calm cooking video" })).await.expect(201);
    let choice = json!({ "type": "algorithm_selection", "metadata": { "algorithm_id": "routix_lightning" } });
    user.say(&chat, &choice).await.expect(201);
    socket.until_message("upload_request").await;
    let skip = user.say(&chat, &json!({ "type": "text", "content": "skip" })).await;
    let position = skip.position();
    skip.expect(201);
    socket.until_message("thumbnail_result").await;
    let path = format!("/api/v1/chat/conversations/{chat}");
    let titled = user.get_after(&path, position).await.expect(200);
    assert_eq!(titled["title"], "Calm cooking video");
    let renamed =
        user.send(user.request(reqwest::Method::PATCH, &path).json(&json!({ "title": "Pasta" }))).await;
    let (position, tag) = (renamed.position(), renamed.header("etag").unwrap().to_owned());
    renamed.expect(200);
    let list = user.get_after("/api/v1/chat/conversations", position).await.expect(200);
    assert_eq!((&list["total"], &list["conversations"][0]["title"]), (&json!(1), &json!("Pasta")));
    let stale = user.request(reqwest::Method::DELETE, &path).header("If-Match", "\"v1\"");
    user.send(stale).await.expect_problem(412, "version_mismatch");
    let archived = user.send(user.request(reqwest::Method::DELETE, &path).header("If-Match", tag)).await;
    assert_eq!(archived.status, 204);
    let list = user.get_after("/api/v1/chat/conversations", archived.position()).await.expect(200);
    assert_eq!(list["total"], 0);
    let late = user.say(&chat, &json!({ "type": "text", "content": "one more" })).await;
    late.expect_problem(409, "conversation_archived");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_messages_are_stable_and_nobody_else_sees_them() {
    let world = World::start().await;
    let (user, other) = (world.user().await, world.user().await);
    let chat = user.start_chat().await;
    let mut position = 0;
    for n in 1..=6 {
        let said = user.say(&chat, &json!({ "type": "text", "content": format!("wish {n}") })).await;
        position = said.position();
        said.expect(201);
    }
    let path = format!("/api/v1/chat/conversations/{chat}/messages");
    let page = user.get_after(&format!("{path}?limit=2"), position).await.expect(200);
    let older = page["older"].as_i64().unwrap();
    let before = user.get(&format!("{path}?limit=200&before={older}")).await.expect(200);
    let newest = page["messages"][0]["id"].as_str().unwrap();
    assert!(before["messages"].as_array().unwrap().iter().all(|message| message["id"] != newest));
    other.get(&path).await.expect_problem(404, "not_found");
    other.get(&format!("/api/v1/chat/conversations/{chat}")).await.expect_problem(404, "not_found");
    let said = other.say(&chat, &json!({ "type": "text", "content": "hello" })).await;
    said.expect_problem(404, "not_found");
    let suggestions = user.get("/api/v1/chat/suggestions").await.expect(200);
    assert_eq!(suggestions["greeting"], "Hey Ada! Can I help you with anything?");
    world.check(&[]).await;
}
