//! What auditors find.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_of_a_projection_is_in_the_history_under_the_name_of_the_admin() {
    let world = World::with_projections().await;
    let admin = world.admin().await;
    let token = Some(admin.token.as_str());
    let retry = "/api/v1/admin/projections/credits/retry";
    for _ in 0..2 {
        let asked = world.call_with(Method::POST, retry, token, &Value::Null, Some("once")).await;
        assert_eq!(asked.expect(202)["requested"], 0);
    }
    let path = "/api/v1/admin/events?event_type=ProjectionRetryRequested";
    let found = world.call(Method::GET, path, token, &Value::Null).await.expect(200);
    let [event] = found["events"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(event["actor"], format!("admin:{}", admin.id));
    assert_eq!(event["owner"], json!(null));
}
