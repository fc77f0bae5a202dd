//! Headers and problems that every answer has, wherever it comes from.

use axum::http::Method;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_route_is_a_problem_too_and_has_the_headers_of_every_answer() {
    let world = World::start().await;
    let nowhere = world.get("/api/v1/nowhere", None).await;
    nowhere.expect_problem(404, "not_found");
    assert_eq!(nowhere.header("x-content-type-options"), "nosniff");
    assert_eq!(nowhere.header("referrer-policy"), "no-referrer");
    world
        .call(Method::PUT, "/health/live", None, &serde_json::Value::Null)
        .await
        .expect_problem(405, "method_not_allowed");
    let alive = world.get("/health/live", None).await;
    assert_eq!(alive.header("x-frame-options"), "DENY");
    assert_eq!(alive.expect(200)["status"], "alive");
}
