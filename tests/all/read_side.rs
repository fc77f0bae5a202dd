//! Read models in trouble: who sees it, what goes on, how it ends.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::world::World;

async fn shown(admin: &Client, name: &str) -> Value {
    let list = admin.get("/api/v1/admin/projections").await.expect(200);
    let list = list["projections"].as_array().unwrap().clone();
    list.into_iter().find(|row| row["name"] == name).expect("it is listed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_is_parked_seen_and_tried_again_over_http() {
    let world = World::start().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let (good, bad) = (user.start_chat().await, user.start_chat().await);
    user.get_seen(&format!("/api/v1/chat/conversations/{bad}/messages")).await.expect(200);
    // A message of a chat that the read model does not have cannot be applied.
    for statement in [
        format!("CREATE TABLE kept AS SELECT * FROM conversations WHERE id = '{bad}'"),
        format!("DELETE FROM conversations WHERE id = '{bad}'"),
    ] {
        sqlx::query(&statement).execute(&world.pool).await.unwrap();
    }
    let boo = user.say(&bad, &json!({ "type": "text", "content": "boo" })).await;
    let poison = boo.position();
    boo.expect(201);
    user.say(&bad, &json!({ "type": "text", "content": "boo again" })).await.expect(201);
    user.say(&good, &json!({ "type": "text", "content": "hello" })).await.expect(201);
    let list = eventually("the events are parked", || async {
        let row = shown(&admin, "conversations").await;
        let list = admin.get("/api/v1/admin/projections/conversations/parked?limit=1").await.expect(200);
        (row["events_behind"] == 0 && list["total"].as_i64() >= Some(3)).then_some(list)
    })
    .await;
    assert!(list["parked"][0]["position"].as_i64().unwrap() <= poison);
    assert_eq!(list["parked"][0]["aggregate_id"], bad);
    let cursor = list["next_cursor"].as_i64().unwrap();
    let path = format!("/api/v1/admin/projections/conversations/parked?limit=1&cursor={cursor}");
    let next = admin.get(&path).await;
    assert!(next.header("link").unwrap().contains("rel=\"next\""));
    assert!(next.expect(200)["parked"][0]["reason"].as_str().unwrap().contains("an earlier event is parked"));
    let said = user.get_seen(&format!("/api/v1/chat/conversations/{good}/messages")).await.expect(200);
    assert!(!said["messages"].as_array().unwrap().is_empty(), "other chats go on");
    assert_eq!(user.get("/health").await.status, 200, "a parked event is no outage");

    for statement in ["INSERT INTO conversations SELECT * FROM kept", "DROP TABLE kept"] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
    let asked = admin.post("/api/v1/admin/projections/conversations/retry", &json!({})).await.expect(202);
    assert!(asked["requested"].as_i64() >= Some(3));
    eventually("nothing is parked any more", || async {
        (shown(&admin, "conversations").await["parked"] == 0).then_some(())
    })
    .await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projections_are_shown_to_admins_only() {
    let world = World::start().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let retry = "/api/v1/admin/projections/conversations/retry";
    for path in ["/api/v1/admin/projections", "/api/v1/admin/projections/conversations/parked"] {
        world.anonymous().get(path).await.expect_problem(401, "unauthenticated");
        user.get(path).await.expect_problem(403, "admin_required");
        admin.get(path).await.expect(200);
    }
    world.anonymous().post(retry, &json!({})).await.expect_problem(401, "unauthenticated");
    user.post(retry, &json!({})).await.expect_problem(403, "admin_required");
    admin.get("/api/v1/admin/projections/nothing/parked").await.expect_problem(404, "not_found");
    let unknown = admin.post("/api/v1/admin/projections/nothing/retry", &json!({})).await;
    unknown.expect_problem(404, "not_found");
    let row = shown(&admin, "history").await;
    for field in ["position", "events_behind", "seconds_behind", "parked", "state", "stopped"] {
        assert!(row.get(field).is_some(), "{field} is missing in {row}");
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_stops_at_a_poison_event_and_a_server_whose_worker_is_elsewhere_turns_red() {
    let world = World::start().await;
    let (admin, user) = (world.admin().await, world.user().await);
    user.balance().await;
    let me = user.user_id();
    for statement in [
        format!("CREATE TABLE kept AS SELECT * FROM credit_balances WHERE user_id = '{me}'"),
        format!("DELETE FROM credit_balances WHERE user_id = '{me}'"),
    ] {
        sqlx::query(&statement).execute(&world.pool).await.unwrap();
    }
    let order = user.order("not for nothing").await.expect(201);
    eventually("the server turns red", || async { (user.get("/health").await.status == 503).then_some(()) })
        .await;
    let detailed = user.get("/health/detailed").await;
    assert_eq!(detailed.status, 503);
    let faults = detailed.body["faults"].to_string();
    assert!(faults.contains("projection credits is stopped"), "{faults}");
    let row = shown(&admin, "credits").await;
    assert_eq!((&row["state"], &row["parked"]), (&json!("stopped"), &json!(0)));
    assert_eq!(row["stopped"]["position"].as_i64().unwrap(), row["position"].as_i64().unwrap() + 1);
    assert!(row["stopped"]["reason"].as_str().unwrap().contains("balance"), "{row}");
    // Others go on: the picture is made.
    assert_eq!(user.finished(order["id"].as_str().unwrap()).await["status"], "completed");
    for statement in ["INSERT INTO credit_balances SELECT * FROM kept", "DROP TABLE kept"] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
    eventually("the server is healthy again", || async {
        (user.get("/health").await.status == 200).then_some(())
    })
    .await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_side_without_any_worker_is_stalled_and_a_worker_brings_it_back() {
    let mut world = World::with(&[("ROUTIX_STALLED_AFTER_SECONDS", "2")], &["all"]).await;
    let (admin, user) = (world.admin().await, world.user().await);
    user.balance().await;
    let worker = world.workers.pop().unwrap();
    // It is there, it holds the leases, and it does nothing.
    worker.pause().await;
    user.start_chat().await;
    let row = eventually("the chats are stalled", || async {
        let row = shown(&admin, "conversations").await;
        (row["state"] == "stalled").then_some(row)
    })
    .await;
    assert!(row["seconds_behind"].as_f64().unwrap() >= 2.0 && row["events_behind"].as_i64().unwrap() > 0);
    assert_eq!(user.get("/health").await.status, 503);
    let faults = user.get("/health/detailed").await.body["faults"].to_string();
    assert!(faults.contains("projection conversations is stalled"), "{faults}");
    worker.resume().await;
    eventually("the server is healthy again", || async {
        (user.get("/health").await.status == 200).then_some(())
    })
    .await;
    world.workers.push(worker);
    world.check(&[]).await;
}

/// Notes every move of a checkpoint.
const MOVES: &str = "\
    CREATE TABLE moves (id bigint GENERATED ALWAYS AS IDENTITY, projection text, old bigint, new bigint, epoch bigint); \
    CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        INSERT INTO moves (projection, old, new, epoch) \
        VALUES (NEW.projection, OLD.position, NEW.position, NEW.epoch); RETURN NULL; END $$; \
    CREATE TRIGGER note_move AFTER UPDATE ON checkpoints FOR EACH ROW \
        WHEN (OLD.position <> NEW.position) EXECUTE FUNCTION note_move()";

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_paused_beyond_their_lease_never_move_a_checkpoint_twice() {
    let world = World::with(&[], &["relay", "generation", "assistant", "projections"]).await;
    let second = world.surroundings.start(&["work", "--role", "projections"]).await;
    let first = world.workers.last().unwrap();
    sqlx::raw_sql(MOVES).execute(&world.pool).await.unwrap();
    let user = world.user().await;
    for paused in [first, &second, first] {
        let order = user.order("while somebody sleeps").await.expect(201);
        paused.pause().await;
        // Whoever is awake takes over once the leases have ended, and the sleeper does not know.
        assert_eq!(user.finished(order["id"].as_str().unwrap()).await["status"], "completed");
        user.order("and on").await.expect(201);
        paused.resume().await;
    }
    world.check(&[]).await;
    let moves: Vec<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT projection, old, new, epoch FROM moves ORDER BY projection, id")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    for pair in moves.windows(2) {
        let [(projection, _, reached, epoch), (next, old, new, next_epoch)] = pair else { unreachable!() };
        if projection == next {
            assert_eq!(reached, old, "{projection} goes on where it was");
            assert!(
                new > old && next_epoch >= epoch,
                "{projection} moves forward, for one epoch after the other"
            );
        }
    }
    let changed = moves.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[0].3 < pair[1].3).count();
    assert!(changed > 0, "a lease changed hands");
}

/// Only the database's clock and the time that passes decide about leases: the clock of a worker's machine may
/// say what it likes.
#[test]
fn a_worker_with_a_skewed_clock_changes_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files: Vec<_> = ["leases.rs", "checkpoints.rs", "work.rs"]
        .iter()
        .map(|file| root.join("event_log/src").join(file))
        .collect();
    for folder in ["projections/src/runtime", "projections/src/runtime/rebuild"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs")));
    }
    assert!(files.len() > 10);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("clock::now"), "{} reads the clock of its machine", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_is_behind_does_not_deny_what_it_has_not_seen() {
    let world = World::with(&[], &["relay"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let path = format!("/api/v1/chat/conversations/{chat}");
    for path in [path.clone(), format!("{path}/messages")] {
        let answer = user.get_seen(&path).await;
        assert!(answer.header("routix-stale").is_some_and(|behind| behind.parse::<i64>().unwrap() > 0));
        assert!(answer.header("retry-after").is_some());
        answer.expect_problem(503, "not_seen_yet");
    }
    let _projections = world.surroundings.start(&["work", "--role", "projections"]).await;
    eventually("the chat is there", || async { (user.get_seen(&path).await.status == 200).then_some(()) })
        .await;
    let nobody = format!("/api/v1/chat/conversations/{}", user.user_id());
    user.get_seen(&nobody).await.expect_problem(404, "not_found");
    world.check(&[]).await;
}
