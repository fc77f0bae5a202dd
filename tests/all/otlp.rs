//! Traces as a collector of OpenTelemetry gets them, and what it costs when it gets none.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::collector::{Collector, Sent};
use crate::support::world::World;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const SERVER: i32 = 2;

/// Posts a wish as part of the trace.
async fn wish(user: &Client, chat: &str) -> Answer {
    let path = format!("/api/v1/chat/conversations/{chat}/messages");
    let wish = json!({ "type": "text", "content": "Create gaming thumbnail with explosions" });
    let request = user.request(reqwest::Method::POST, &path).json(&wish);
    user.send(request.header("traceparent", format!("00-{TRACE}-{CALLER}-01"))).await
}

/// The first message in the trace that somebody like this posted: its position, and the span it names.
async fn posted(world: &World, actor: &str) -> (i64, String) {
    let (position, metadata): (i64, Value) = sqlx::query_as(
        "SELECT position, metadata::jsonb FROM events \
         WHERE event_type = 'MessagePosted' AND metadata->>'actor' LIKE $1 AND metadata->>'traceparent' LIKE $2 \
         ORDER BY position LIMIT 1",
    )
    .bind(format!("{actor}:%"))
    .bind(format!("00-{TRACE}-%-01"))
    .fetch_one(&world.pool)
    .await
    .unwrap();
    (position, metadata["traceparent"].as_str().unwrap()[36..52].to_owned())
}

async fn child(collector: &Collector, parent: &Sent, name: &str) -> Sent {
    let what = format!("{name} below {}", parent.name());
    collector.span(TRACE, &what, |sent| sent.parent == parent.id && sent.name() == name).await
}

/// The command that the span carried out wrote from its first to its last position; each event names the command,
/// and its read model was brought up to date in the same trace.
async fn wrote(collector: &Collector, world: &World, command: &Sent, actor: &str) -> i64 {
    let append = child(collector, command, "append").await;
    let (position, named) = posted(world, actor).await;
    assert_eq!(named, command.id);
    assert_eq!(append.attribute("routix.position.first"), Some(position.to_string()));
    let shown = collector.span(TRACE, "the message is in the read model", |sent| {
        sent.name() == "conversations MessagePosted" && sent.position() == Some(position)
    });
    assert_eq!(shown.await.parent, command.id);
    position
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_a_request_through_commands_and_a_process_manager_to_the_read_models() {
    let collector = Collector::start().await;
    let soon =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let world = World::with(&soon, &["all"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    wish(&user, &chat).await.expect(201);

    let request = collector.span(TRACE, "the request", |sent| sent.parent == CALLER).await;
    assert_eq!(request.name(), "POST /api/v1/chat/conversations/{conversation_id}/messages");
    assert_eq!((request.span.kind, request.service.as_str()), (SERVER, "routix"));
    assert_eq!(request.attribute("http.request.method").as_deref(), Some("POST"));
    assert_eq!(
        request.attribute("http.route").as_deref(),
        Some("/api/v1/chat/conversations/{conversation_id}/messages")
    );
    assert_eq!(request.attribute("http.response.status_code").as_deref(), Some("201"));

    let post = child(&collector, &request, "PostText").await;
    assert_eq!(post.attribute("routix.aggregate").as_deref(), Some("conversation"));
    assert_eq!(post.attribute("routix.outcome").as_deref(), Some("appended"));
    let position = wrote(&collector, &world, &post, "user").await;

    let work = child(&collector, &post, "assistant offer_algorithms").await;
    assert_eq!(work.position(), Some(position));
    let answer = child(&collector, &work, "Say+Say").await;
    wrote(&collector, &world, &answer, "process").await;

    // No span hangs on one that is not there, and none tells what was said.
    let trace = collector.trace(TRACE);
    for sent in &trace {
        let has_parent = sent.parent == CALLER || trace.iter().any(|other| other.id == sent.parent);
        assert!(has_parent, "{} hangs in the air", sent.name());
        assert!(!format!("{:?}", sent.span).contains("explosions"), "{} tells a secret", sent.name());
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_end_sends_the_spans_it_has_first() {
    let collector = Collector::start().await;
    let late =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "600000")];
    let mut world = World::with(&late, &["all"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    wish(&user, &chat).await.expect(201);
    assert_eq!(collector.trace(TRACE).len(), 0);
    assert!(world.server.end().await);
    let sent = collector.trace(TRACE);
    assert!(sent.iter().any(|sent| sent.parent == CALLER), "{sent:?}");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_or_never_answers_costs_no_request_anything() {
    // The kernel takes connections to the second one, and nobody ever reads from them.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{away}");
    // The queue of spans is full after a few requests.
    let small = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", away.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
    ];
    let mut world = World::with(&small, &["all"]).await;
    let mut surroundings = world.surroundings.clone();
    surroundings.extra[0].1 = format!("http://{}", silent.local_addr().unwrap());
    let mut second = surroundings.start(&["serve"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    for server in [&world.server.address, &second.address] {
        let user = user.at(server);
        for _ in 0..50 {
            let asked = Instant::now();
            wish(&user, &chat).await.expect(201);
            assert!(asked.elapsed() < Duration::from_secs(5), "a request waits for the collector");
        }
    }
    for server in [&mut world.server, &mut second] {
        let asked = Instant::now();
        assert!(server.end().await);
        assert!(asked.elapsed() < Duration::from_secs(8), "a silent collector holds the process up");
    }
    world.check(&[]).await;
}
