//! One trace from a request to everything that it led to.

use serde_json::{Value, json};

use crate::support::socket::Socket;
use crate::support::world::World;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_a_request_through_its_events_to_what_the_process_managers_did() {
    let world = World::start().await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let chat = user.start_chat().await;
    let path = format!("/api/v1/chat/conversations/{chat}/messages");
    let wish = json!({ "type": "text", "content": "Create gaming thumbnail with explosions" });
    let request = user
        .request(reqwest::Method::POST, &path)
        .json(&wish)
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    user.send(request).await.expect(201);
    socket.until_message("algorithm_select").await;
    let traced: Vec<(String, Value)> =
        sqlx::query_as("SELECT event_type, metadata::jsonb FROM events WHERE metadata->>'traceparent' LIKE $1 ORDER BY position")
            .bind(format!("00-{TRACE}-%"))
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let of = |actor: &str| -> Vec<&str> {
        let theirs =
            traced.iter().filter(|(_, metadata)| metadata["actor"].as_str().unwrap().starts_with(actor));
        theirs.map(|(event, _)| event.as_str()).collect()
    };
    assert_eq!(of("user:"), ["MessagePosted", "ConversationRenamed"]);
    assert_eq!(of("process:assistant"), ["MessagePosted", "MessagePosted"]);
    // What is no trace context is not stored.
    let request =
        user.request(reqwest::Method::POST, &path).json(&wish).header("traceparent", "00-not-a-trace");
    let position = user.send(request).await.position();
    let kept: Option<String> =
        sqlx::query_scalar("SELECT metadata->>'traceparent' FROM events WHERE position = $1")
            .bind(position)
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(kept, None);
    world.check(&[]).await;
}
