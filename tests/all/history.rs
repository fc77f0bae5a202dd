//! The history as auditors see it: complete, explained, without secrets.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::world::World;

const EVENTS: &str = "/api/v1/admin/events";

/// All events of a filter, page by page.
async fn all(admin: &Client, filter: &str, limit: usize) -> Vec<Value> {
    let mut path = format!("{EVENTS}?{filter}&limit={limit}");
    let mut events = Vec::new();
    loop {
        let page = admin.get_seen(&path).await;
        let link = page.header("link").map(str::to_owned);
        let page = page.expect(200);
        let list = page["events"].as_array().unwrap();
        assert!(list.len() <= limit);
        events.extend(list.iter().cloned());
        let Some(link) = link else {
            assert!(page["next_cursor"].is_null());
            return events;
        };
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        assert!(path.contains(&format!("cursor={}", page["next_cursor"])) && path.contains(filter));
    }
}

fn positions(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["position"].as_i64().unwrap()).collect()
}

async fn stored(world: &World, condition: &str) -> Vec<i64> {
    let select = format!("SELECT position FROM events WHERE {condition} ORDER BY position");
    sqlx::query_scalar(&select).fetch_all(&world.pool).await.unwrap()
}

/// A world in which a user has a finished picture, and an admin who has seen the end of it.
async fn finished() -> (World, Client, Client, String) {
    let world = World::start().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let order = user.order("a castle in the clouds").await.expect(201);
    let request = order["id"].as_str().unwrap().to_owned();
    user.finished(&request).await;
    let head = "SELECT max(position) FROM events";
    admin.saw(sqlx::query_scalar(head).fetch_one(&world.pool).await.unwrap());
    (world, admin, user, request)
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_find_events_by_who_what_when_and_because_of_what() {
    let (world, admin, user, request) = finished().await;
    let me = user.user_id();
    let mine = all(&admin, &format!("owner={me}&order=oldest"), 3).await;
    assert_eq!(positions(&mine), stored(&world, &format!("owner_id = '{me}'")).await);
    let mut newest = positions(&all(&admin, &format!("owner={me}"), 7).await);
    newest.reverse();
    assert_eq!(newest, positions(&mine));

    let one = mine.iter().find(|event| event["event_type"] == "GenerationRequested").unwrap();
    let text = |field: &str| one[field].as_str().unwrap().to_owned();
    assert_eq!(one["payload"]["job"]["prompt"], "a castle in the clouds", "admins read the words");
    assert_eq!(text("actor"), format!("user:{me}"));
    assert!(one["request"]["ip"].as_str().unwrap().starts_with("127."), "{}", one["request"]);
    let recorded = text("recorded_at");
    let position = one["position"].as_i64().unwrap();
    for (filter, condition) in [
        (
            format!("aggregate_type=generation_request&aggregate_id={request}"),
            format!("aggregate_type = 'generation_request' AND aggregate_id = '{request}'"),
        ),
        ("event_type=UserRegistered".to_owned(), "event_type = 'UserRegistered'".to_owned()),
        (format!("actor=user:{me}"), format!("metadata->>'actor' = 'user:{me}'")),
        (
            "actor=process:generation-pipeline".to_owned(),
            "metadata->>'actor' = 'process:generation-pipeline'".to_owned(),
        ),
        (
            format!("correlation_id={}", text("correlation_id")),
            format!("metadata->>'correlation_id' = '{}'", text("correlation_id")),
        ),
        (
            format!("command_id={}", text("command_id")),
            format!("metadata->>'command_id' = '{}'", text("command_id")),
        ),
        (
            format!("causation_id={}", text("event_id")),
            format!("metadata->>'causation_id' = '{}'", text("event_id")),
        ),
        (format!("from={recorded}"), format!("recorded_at >= '{recorded}'")),
        (format!("to={recorded}"), format!("recorded_at < '{recorded}'")),
        (
            format!("position_from={position}&position_to={}", position + 2),
            format!("position BETWEEN {position} AND {}", position + 2),
        ),
    ] {
        let found = positions(&all(&admin, &format!("{filter}&order=oldest"), 200).await);
        assert_eq!(found, stored(&world, &condition).await, "{filter}");
        assert!(!found.is_empty(), "{filter}");
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_for_admins_and_says_what_is_not_there() {
    let (world, admin, user, request) = finished().await;
    let state = format!("/api/v1/admin/aggregates/generation_request/{request}");
    for path in [EVENTS, "/api/v1/admin/events/1/causes", &state] {
        world.anonymous().get(path).await.expect_problem(401, "unauthenticated");
        user.get(path).await.expect_problem(403, "admin_required");
        admin.get(path).await.expect(200);
    }
    for path in [
        "/api/v1/admin/events/999999/causes".to_owned(),
        "/api/v1/admin/aggregates/nothing/1".to_owned(),
        "/api/v1/admin/aggregates/user/nobody".to_owned(),
        format!("{state}?version=999"),
        format!("{state}?version=0"),
        format!("{state}?at=2001-01-01T00:00:00Z"),
    ] {
        admin.get(&path).await.expect_problem(404, "not_found");
    }
    for path in [
        format!("{EVENTS}?owner=me"),
        format!("{EVENTS}?from=yesterday"),
        format!("{state}?version=1&at=2030-01-01T00:00:00Z"),
    ] {
        let refused = admin.get(&path).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        assert_eq!(refused.content_type, "application/problem+json");
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_explained_from_the_command_that_began_it_to_what_it_led_to() {
    let (world, admin, user, request) = finished().await;
    let mine = all(&admin, &format!("aggregate_id={request}&order=oldest"), 200).await;
    let (first, last) = (mine.first().unwrap(), mine.last().unwrap());
    assert_eq!(last["event_type"], "GenerationCompleted");
    let why = admin.get(&format!("{EVENTS}/{}/causes", last["position"])).await.expect(200);
    assert_eq!(why["event"]["event_id"], last["event_id"]);
    assert_eq!(why["command"]["actor"], "process:generation-pipeline");
    let together: Vec<&Value> = why["command"]["events"].as_array().unwrap().iter().collect();
    assert!(
        together.iter().any(|event| event["event_type"] == "HoldSettled"),
        "one command settled the hold"
    );
    let causes = why["causes"].as_array().unwrap();
    let root = causes.last().unwrap();
    assert_eq!(root["actor"], format!("user:{}", user.user_id()));
    assert!(root["causation_id"].is_null());
    assert!(root["events"].as_array().unwrap().iter().any(|event| event["event_id"] == first["event_id"]));
    // Each command names an event of the next one up.
    for (command, cause) in std::iter::once(&why["command"]).chain(causes).zip(causes) {
        let events = cause["events"].as_array().unwrap();
        assert!(events.iter().any(|event| event["event_id"] == command["causation_id"]));
    }
    let led_to = admin.get(&format!("{EVENTS}/{}/causes", first["position"])).await.expect(200);
    assert_eq!(led_to["causes"], json!([]));
    let consequences = led_to["consequences"].as_array().unwrap();
    assert!(consequences.iter().any(|command| command["actor"] == "process:generation-pipeline"));
    assert!(consequences.iter().all(|command| command["causation_id"] == first["event_id"]));
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_is_shown_as_it_was_at_any_point() {
    let (world, admin, _user, request) = finished().await;
    let path = format!("/api/v1/admin/aggregates/generation_request/{request}");
    let now = admin.get(&path).await.expect(200);
    let events = now["events"].as_array().unwrap();
    assert_eq!(now["version"], events.len());
    assert_eq!(now["state"]["Completed"]["job"]["prompt"], "a castle in the clouds");
    assert!(events.iter().all(|event| event["differences"].is_array()));
    // The differences, one after the other, lead from each state to the next.
    for (version, event) in (1..).zip(events) {
        let then = admin.get(&format!("{path}?version={version}")).await.expect(200);
        assert_eq!((&then["version"], &then["position"]), (&json!(version), &event["position"]));
        for difference in event["differences"].as_array().unwrap() {
            let place = difference["path"].as_str().unwrap();
            assert_eq!(
                then["state"].pointer(place),
                difference.get("after"),
                "{place} after {version} events"
            );
        }
    }
    let first = admin.get(&format!("{path}?version=1")).await.expect(200);
    assert_eq!(first["state"]["InProgress"]["stage"], "Pending");
    let recorded = events[0]["recorded_at"].as_str().unwrap();
    let then = admin.get(&format!("{path}?at={recorded}")).await.expect(200);
    assert_eq!(then["events"][0]["event_id"], events[0]["event_id"]);
    assert_eq!(then["events"][0]["differences"][0]["before"], "NotRequested");
    // A long past comes in pieces.
    let last = admin.get(&format!("{path}?limit=2")).await.expect(200);
    assert_eq!(last["events"].as_array().unwrap().len(), 2);
    assert_eq!(last["earlier_version"], events.len() - 2);
    assert_eq!(last["state"], now["state"]);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_never_leave_and_erased_words_stay_erased() {
    let (world, admin, user, _request) = finished().await;
    let me = user.user_id();
    let everything = serde_json::to_string(&all(&admin, "order=oldest", 200).await).unwrap();
    let tokens: Vec<String> = sqlx::query_scalar(
        "SELECT payload->>'token' FROM events WHERE event_type IN ('SessionStarted', 'SessionRefreshed')",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert!(!tokens.is_empty());
    let account = admin.get(&format!("/api/v1/admin/aggregates/user/{me}")).await.expect(200);
    assert_eq!(account["state"]["Active"]["password_hash"], "redacted");
    assert_eq!(account["state"]["Active"]["username"], "Ada");
    let session: String =
        sqlx::query_scalar("SELECT aggregate_id FROM events WHERE event_type = 'SessionStarted' LIMIT 1")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    let session = admin.get(&format!("/api/v1/admin/aggregates/session/{session}")).await.expect(200);
    for text in [everything, account.to_string(), session.to_string()] {
        assert!(!text.contains("argon2"), "a password hash left");
        assert!(tokens.iter().all(|token| !text.contains(token)), "the hash of a token left");
    }
    let email = user.user["email"].as_str().unwrap();
    assert!(account.to_string().contains(email));

    sqlx::query("UPDATE data_keys SET wrapped = NULL, erased_at = now() WHERE owner = $1")
        .bind(me)
        .execute(&world.pool)
        .await
        .unwrap();
    // A server that has not seen the key.
    let fresh = world.surroundings.start(&["serve"]).await;
    let admin = admin.at(&fresh.address);
    let account = admin.get(&format!("/api/v1/admin/aggregates/user/{me}")).await.expect(200);
    // A key that was destroyed without an event is an erasure half done: the start of the server finished it.
    assert_eq!(account["state"], json!({ "Erased": { "user_id": me } }));
    assert!(!account.to_string().contains(email));
    let mine = all(&admin, &format!("owner={me}"), 200).await;
    assert!(!serde_json::to_string(&mine).unwrap().contains("castle"), "the prompt is gone");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_the_history_is_logged_with_the_admins_id_and_no_words() {
    let (world, admin, user, request) = finished().await;
    let mut watched = world.surroundings.command(&["serve"]);
    let mut watched = watched.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watched.stdout.take().unwrap()).lines();
    let ready = lines.next_line().await.unwrap().unwrap();
    let logged: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut errors = BufReader::new(watched.stderr.take().unwrap()).lines();
    let sink = logged.clone();
    tokio::spawn(async move {
        while let Ok(Some(line)) = errors.next_line().await {
            sink.lock().unwrap().push(line);
        }
    });
    let admin = admin.at(ready.split_whitespace().last().unwrap());
    let me = admin.user_id().to_string();
    for path in [
        format!("{EVENTS}?owner={}", user.user_id()),
        format!("{EVENTS}/1/causes"),
        format!("/api/v1/admin/aggregates/generation_request/{request}"),
    ] {
        admin.get(&path).await.expect(200);
    }
    eventually("each look is in the log", || async {
        let lines = logged.lock().unwrap();
        (lines.iter().filter(|line| line.contains("INFO") && line.contains(&me)).count() == 3).then_some(())
    })
    .await;
    let text = logged.lock().unwrap().join("\n");
    assert!(!text.contains("castle") && !text.contains("example.com"), "{text}");
    world.check(&[]).await;
}
