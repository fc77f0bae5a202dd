//! Parked work, as admins see it.

use axum::http::Method;
use domain::reactions::Role;
use event_log::work::{self, Known};
use serde_json::{Value, json};
use testing::eventually;
use uuid::Uuid;

use crate::world::{Person, World, form};

/// Waits for an analysis that is to be done, and parks it as the last failure of its worker would.
pub async fn parked_analysis(world: &testing::World) -> Uuid {
    let open = "SELECT count(*) FROM work WHERE role = 'analysis' AND done_at IS NULL AND parked_at IS NULL";
    eventually("the work is there", async || world.number(open).await == 1).await;
    let known = Known { role: Role::Analysis.name(), tasks: &["analyze"] };
    let claimed = work::claim(world.pool(), known, std::time::Duration::from_mins(1), 1).await.unwrap();
    assert!(work::park(world.pool(), &claimed[0], "the provider refused the credentials").await.unwrap());
    claimed[0].work_id
}

async fn upload(world: &World, admin: &Person) {
    let fields = [("category", "gaming"), ("tags", "fire"), ("description", "a loud one")];
    let shade = u8::try_from(world.ground.events().await % 250).unwrap();
    let request = form("/api/v1/admin/templates", &admin.token, &fields, &testing::picture(shade));
    world.send(request).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_work_is_listed_with_its_reason_page_by_page_and_health_names_its_number() {
    let world = World::with_projections().await;
    let admin = world.admin().await;
    let token = Some(admin.token.as_str());
    let mut parked = Vec::new();
    for _ in 0..2 {
        upload(&world, &admin).await;
        parked.push(parked_analysis(&world.ground).await.to_string());
    }
    let first = world.get("/api/v1/admin/work/parked?limit=1", token).await;
    let link = first.header("link").to_owned();
    let first = first.expect(200);
    assert_eq!((&first["total"], &first["next_cursor"]), (&json!(2), &json!(parked[0])));
    let row = &first["parked"][0];
    assert_eq!(
        (&row["work_id"], &row["role"], &row["task"]),
        (&json!(parked[0]), &json!("analysis"), &json!("analyze"))
    );
    assert_eq!(row["reason"], "the provider refused the credentials");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let second = world.get(next, token).await.expect(200);
    assert_eq!((&second["parked"][0]["work_id"], &second["next_cursor"]), (&json!(parked[1]), &Value::Null));
    let health = world.get("/health/detailed", token).await;
    assert_eq!(health.body["parked_work"], json!({ "analysis": 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_of_parked_work_is_in_the_history_once_and_work_that_is_not_parked_is_not_found() {
    let world = World::with_projections().await;
    let admin = world.admin().await;
    let token = Some(admin.token.as_str());
    upload(&world, &admin).await;
    let work_id = parked_analysis(&world.ground).await;
    let retry = format!("/api/v1/admin/work/{work_id}/retry");
    let first = world.call_with(Method::POST, &retry, token, &Value::Null, Some("once")).await.expect(202);
    let again = world.call_with(Method::POST, &retry, token, &Value::Null, Some("once")).await.expect(202);
    assert_eq!(first, again);
    let other = world.call_with(Method::POST, &retry, token, &Value::Null, Some("twice")).await;
    other.expect_problem(404, "not_found");
    let open = "SELECT count(*) FROM work WHERE role = 'analysis' AND attempts = 0 AND parked_at IS NULL";
    assert_eq!(world.ground.number(open).await, 1);
    let path = "/api/v1/admin/events?event_type=WorkRetryRequested";
    let found = world.call(Method::GET, path, token, &Value::Null).await.expect(200);
    let [event] = found["events"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(event["actor"], format!("admin:{}", admin.id));
}
