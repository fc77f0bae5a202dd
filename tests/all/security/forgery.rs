//! Whoever may write to NATS or to Postgres, and knows all that was ever published, moves nothing.

use async_nats::jetstream::Context;
use event_log::{Position, RecordedEvent, chain_of};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::checker::jetstream;
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

/// Waits until the stream holds all of the log, and gives its last message.
async fn last_message(world: &World, context: &Context) -> (RecordedEvent, async_nats::HeaderMap) {
    eventually("the stream reaches the log", || async {
        let stream = context.get_stream("ROUTIX_EVENTS").await.ok()?;
        let head = u64::try_from(world.head().await).unwrap();
        let message = stream.get_raw_message(head).await.ok()?;
        Some((nats::decode(head, Some(&message.headers), &message.payload).ok()?, message.headers))
    })
    .await
}

/// Publishes an event of somebody's making at the end of the stream, linked as the log would link it.
async fn publish(
    context: &Context,
    (last, headers): &(RecordedEvent, async_nats::HeaderMap),
    payload: &Value,
) {
    let position = last.position.next();
    let forged = RecordedEvent {
        position,
        payload: payload.to_string(),
        event_id: Uuid::from_u128(7),
        ..last.clone()
    };
    let mut headers = headers.clone();
    headers.insert("routix-position", position.to_string());
    headers.insert("routix-chain", hex::encode(chain_of(&last.chain, &forged)));
    headers.insert("ce-id", forged.event_id.to_string());
    headers.insert("Nats-Expected-Last-Sequence", last.position.to_string());
    let subject = nats::subject_of(&forged);
    context.publish_with_headers(subject, headers, forged.payload.into()).await.unwrap().await.unwrap();
}

async fn forgeries(client: &Client, what: &str) -> f64 {
    let metrics = String::from_utf8(client.get("/metrics").await.bytes).unwrap();
    let name = format!("routix_forged_total{{what=\"{what}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0.0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_publishes_on_nats_shuts_nothing_is_not_put_back_and_shows_nowhere() {
    let world = World::start().await;
    let there = world.surroundings.start(&["serve"]).await;
    let user = world.user().await;
    let mut socket = Socket::open(&user.at(&there.address), None).await;
    let chat = user.start_chat().await;
    let message = json!({ "type": "text", "content": "an honest word" });
    user.say(&chat, &message).await.expect(201);
    world.check(&[]).await;
    let context = jetstream(&world.surroundings.nats_url).await;
    let last = last_message(&world, &context).await;
    publish(&context, &last, &json!({ "type": "CreditsGranted", "amount": 1_000_000 })).await;
    let frame = json!({
        "user_id": user.user_id(), "type": "chat:message", "subject": Uuid::nil(), "after_position": 0,
        "payload": { "message": { "content": "a forged word" } },
    });
    let live = format!("routix.live.{}", user.user_id());
    context.publish(live, frame.to_string().into()).await.unwrap();

    // Nothing shuts, and nothing of it is put back, whoever asks.
    let (_, printed) = world.routix(&["log", "recover", "--yes"]).await;
    assert!(!printed.contains("events put back"), "{printed}");
    assert_eq!(user.get("/health").await.status, 200);
    let order = user.order("after the forgery").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    socket.until(|frame| frame["type"] == "generation:completed").await;
    let shown = json!(socket.frames).to_string();
    assert!(shown.contains("an honest word") && !shown.contains("forged"), "{shown}");
    eventually("the alarm is raised", || async { (forgeries(&user, "message").await > 0.0).then_some(()) })
        .await;
    assert!(forgeries(&user.at(&there.address), "frame").await > 0.0);
    // The log and the stream are equal: the checker compares them message by message.
    world.check(&[]).await;
}

/// The row that makes somebody an admin, in the place and with the chain value that the log would give it.
async fn store_forged(world: &World, user: &Client) -> Position {
    let id = user.user_id().to_string();
    let reader = event_log::LogReader::new(world.pool.clone());
    let all = reader.page(Position::ZERO, 1000).await.unwrap();
    let own = |event: &&RecordedEvent| event.aggregate_type == "user" && event.aggregate_id == id;
    let first = all.iter().find(own).unwrap();
    let end = all.last().unwrap();
    let mut forged = RecordedEvent {
        position: end.position.next(),
        sequence: first.sequence + 1,
        event_id: Uuid::from_u128(8),
        recorded_at: end.recorded_at,
        payload: first.payload.replace("\"role\":\"user\"", "\"role\":\"admin\""),
        ..first.clone()
    };
    assert_ne!(forged.payload, first.payload);
    forged.chain = chain_of(&end.chain, &forged).to_vec();
    let insert = sqlx::query(
        "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                             payload, metadata, event_id, owner_id, recorded_at, chain, authentication) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11, $12, $13)",
    );
    let insert = insert.bind(forged.position).bind(&forged.aggregate_type).bind(&forged.aggregate_id);
    let insert = insert.bind(forged.sequence).bind(&forged.event_type).bind(&forged.event_version);
    let insert = insert.bind(&forged.payload).bind(&forged.metadata).bind(forged.event_id);
    let insert = insert.bind(forged.owner_id).bind(forged.recorded_at).bind(&forged.chain);
    insert.bind(&forged.authentication).execute(&world.pool).await.unwrap();
    forged.position
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_writes_into_the_log_gives_no_rights_and_stops_nobody_else() {
    let world = World::start().await;
    let (user, other) = (world.user().await, world.user().await);
    world.check(&[]).await;
    let place = store_forged(&world, &user).await;
    // At a process that remembers the account, and at one that has to load it.
    let fresh = world.surroundings.start(&["serve"]).await;
    for client in [user.clone(), user.at(&fresh.address)] {
        let answer = client.get("/api/v1/admin/events").await;
        assert!(!answer.status.is_success(), "{}", answer.status);
    }
    eventually("the alarm is raised", || async { (forgeries(&user, "event").await > 0.0).then_some(()) })
        .await;
    // Everybody else goes on, and so do the read models behind the place.
    let order = other.order("as if nothing had happened").await.expect(201);
    other.finished(order["id"].as_str().unwrap()).await;
    let role: String = sqlx::query_scalar("SELECT role FROM users WHERE id = $1")
        .bind(user.user_id())
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(role, "user");
    // Consumers of the stream get the place, with nothing in it.
    let context = jetstream(&world.surroundings.nats_url).await;
    let void = eventually("the place is published", || async {
        let stream = context.get_stream("ROUTIX_EVENTS").await.ok()?;
        stream.get_raw_message(u64::try_from(place.get()).unwrap()).await.ok()
    })
    .await;
    assert_eq!((void.subject.as_str(), &void.payload[..]), ("routix.events.void.Void", b"null".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_somebody_writes_gives_no_rights() {
    let world = World::start().await;
    let user = world.user().await;
    let admin = world.admin().await;
    let state = json!({ "Active": {
        "user_id": user.user_id(),
        "email": { "$erased": { "owner": user.user_id() } },
        "username": { "$erased": { "owner": user.user_id() } },
        "password_hash": { "$erased": { "owner": user.user_id() } },
        "role": "admin",
    } });
    sqlx::query(
        "INSERT INTO snapshots (aggregate_type, aggregate_id, version, schema_tag, payload, event_id, authentication) \
         SELECT aggregate_type, aggregate_id, sequence, 'user/1', $2::json, event_id, authentication FROM events \
         WHERE aggregate_type = 'user' AND aggregate_id = $1 AND sequence = 1",
    )
    .bind(user.user_id().to_string())
    .bind(state.to_string())
    .execute(&world.pool)
    .await
    .unwrap();
    let fresh = world.surroundings.start(&["serve"]).await;
    user.at(&fresh.address).get("/api/v1/admin/events").await.expect_problem(403, "admin_required");
    assert!(forgeries(&admin.at(&fresh.address), "snapshot").await > 0.0);
    user.at(&fresh.address).order("with one's own rights").await.expect(201);
    world.check(&[]).await;
}
