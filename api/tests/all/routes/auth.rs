//! `/api/v1/auth`.

use serde_json::json;

use crate::world::World;

const REGISTER: &str = "/api/v1/auth/register";
const ME: &str = "/api/v1/auth/me";

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_has_an_account_at_once_and_once() {
    let world = World::start().await;
    let person = json!({ "email": "ann@example.com", "username": "ann", "password": "correct horse" });
    let answer = world.post(REGISTER, "first", person.to_string()).await;
    assert_eq!(answer.header("location"), ME);
    assert_eq!(answer.header("cache-control"), "no-store");
    let position: i64 = answer.header("routix-position").parse().unwrap();
    let session = answer.expect(201);
    assert_eq!(session["position"], position);
    assert_eq!(session["user"]["email"], "ann@example.com");
    assert_eq!(session["user"]["credits"], 25);

    let token = session["access_token"].as_str();
    assert_eq!(world.get(ME, token).await.expect(200), session["user"]);
    world.get(ME, None).await.expect_problem(401, "unauthenticated");
    world.get(ME, session["refresh_token"].as_str()).await.expect_problem(401, "unauthenticated");

    let again = world.post(REGISTER, "first", person.to_string()).await.expect(201);
    assert_eq!(again, session);
    world.post(REGISTER, "second", person.to_string()).await.expect_problem(409, "taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_cannot_be_understood_says_why() {
    let world = World::start().await;
    world.post(REGISTER, "a", "{").await.expect_problem(400, "malformed");
    world.post(REGISTER, "b", "{}").await.expect_problem(422, "invalid");
    let person = json!({ "email": "nobody", "username": "ann", "password": "correct horse" });
    world.post(REGISTER, "c", person.to_string()).await.expect_problem(422, "invalid");
    world.post(REGISTER, "", person.to_string()).await.expect_problem(400, "malformed");
}
