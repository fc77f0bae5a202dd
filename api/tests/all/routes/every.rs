//! All routes of the OpenAPI document: each is used for what it is for, and each refuses whom and what it must refuse.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use domain::reactions::Role;
use serde_json::{Value, json};
use testing::eventually;

use super::work::parked_analysis;
use crate::world::{Answer, Person, World, form, login};

/// Streams without an end: the tests of the whole program listen to them.
const LIVE: [&str; 2] = ["GET /api/v1/events/stream", "GET /ws"];
const NOBODY: &str = "00000000-0000-0000-0000-000000000009";

/// An operation of the document.
struct Operation {
    method: Method,
    /// With names in braces.
    path: String,
    is_open: bool,
    takes_json: bool,
    takes_key: bool,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(Operation {
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                path: path.clone(),
                is_open: operation["security"].is_null(),
                takes_key: operation["parameters"].to_string().contains("Idempotency-Key"),
                takes_json: operation["requestBody"]["content"]["application/json"].is_object(),
            });
        }
    }
    assert!(found.len() > 40, "the document was read");
    found
}

impl Operation {
    /// The path with an id that nobody has.
    fn of_nobody(&self) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{position}" => "999999",
            "{name}" | "{type}" => "nothing",
            _ if part.starts_with('{') => NOBODY,
            _ => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn is_for_admins(&self) -> bool {
        self.path.starts_with("/api/v1/admin/")
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_no_route_answers_that_is_not_open() {
    let world = World::start().await;
    for operation in operations().iter().filter(|operation| !operation.is_open) {
        let answer = world.call(operation.method.clone(), &operation.of_nobody(), None, &json!({})).await;
        assert_eq!(answer.body["code"], "unauthenticated", "{}: {}", operation.name(), answer.body);
        answer.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_admins_is_for_nobody_else() {
    let world = World::start().await;
    let person = world.person().await;
    for operation in operations().iter().filter(|operation| operation.is_for_admins()) {
        let path = operation.of_nobody();
        let answer = world.call(operation.method.clone(), &path, Some(&person.token), &json!({})).await;
        assert_eq!(answer.body["code"], "admin_required", "{}: {}", operation.name(), answer.body);
        answer.expect_problem(403, "admin_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_json_is_refused_by_every_route_that_takes_one() {
    let world = World::start().await;
    let admin = world.admin().await;
    for operation in operations().iter().filter(|operation| operation.takes_json) {
        let request = Request::builder()
            .method(operation.method.clone())
            .uri(operation.of_nobody())
            .header(header::AUTHORIZATION, format!("Bearer {}", admin.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from("{"));
        let answer = world.send(request.unwrap()).await;
        assert_eq!(answer.status, 400, "{}: {}", operation.name(), answer.body);
        answer.expect_problem(400, "malformed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_404_for_every_route_with_an_id() {
    let world = World::with_projections().await;
    let admin = world.admin().await;
    for operation in operations().iter().filter(|operation| operation.path.contains('{')) {
        let body = body_of(&operation.name());
        let path = operation.of_nobody();
        let answer = world.call(operation.method.clone(), &path, Some(&admin.token), &body).await;
        assert_eq!(answer.status, 404, "{}: {}", operation.name(), answer.body);
        answer.expect_problem(404, "not_found");
    }
}

/// A body that is fine, for the operations that take one.
fn body_of(operation: &str) -> Value {
    match operation {
        "PATCH /api/v1/chat/conversations/{conversation_id}" => json!({ "title": "Cats" }),
        "POST /api/v1/chat/conversations/{conversation_id}/messages" => {
            json!({ "type": "text", "content": "a cat" })
        }
        "PATCH /api/v1/admin/templates/{template_id}" => json!({ "is_active": false }),
        "POST /api/v1/admin/users/{user_id}/credits" => json!({ "amount": 5 }),
        _ => Value::Null,
    }
}

/// A walk through the product that notes which routes did what they are for.
struct Walk {
    world: World,
    done: BTreeSet<String>,
    /// The operations that take an idempotency key. Each is used twice under it, with one effect.
    with_key: BTreeSet<String>,
    uses: usize,
}

impl Walk {
    /// Uses an operation whose ids are given in their order. The answer must be a success.
    async fn go(&mut self, who: Option<&Person>, operation: &str, ids: &[&str], body: Value) -> Answer {
        self.go_with(who, operation, ids, "", body).await
    }

    async fn go_with(
        &mut self,
        who: Option<&Person>,
        operation: &str,
        ids: &[&str],
        query: &str,
        body: Value,
    ) -> Answer {
        let (method, template) = operation.split_once(' ').unwrap();
        let mut ids = ids.iter();
        let parts: Vec<&str> = template
            .split('/')
            .map(|part| if part.starts_with('{') { ids.next().unwrap() } else { part })
            .collect();
        let path = format!("{}{query}", parts.join("/"));
        let token = who.map(|person| person.token.as_str());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let key = self.with_key.contains(operation).then(|| format!("key of use {}", self.uses));
        self.uses += 1;
        let answer = self.world.call_with(method.clone(), &path, token, &body, key.as_deref()).await;
        assert!(answer.status.is_success(), "{operation}: {} {}", answer.status, answer.body);
        if key.is_some() {
            let again = self.world.call_with(method, &path, token, &body, key.as_deref()).await;
            assert_eq!((again.status, &again.body), (answer.status, &answer.body), "{operation}, once more");
        }
        self.done.insert(operation.to_owned());
        answer
    }

    async fn upload(&mut self, who: &Person, path: &str, fields: &[(&str, &str)]) -> String {
        let request = form(path, &who.token, fields, &testing::picture(9));
        let uploaded = self.world.send(request).await.expect(201);
        self.done.insert(format!("POST {path}"));
        uploaded["id"].as_str().unwrap().to_owned()
    }
}

fn id_of(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_write_that_can_be_repeated_takes_an_idempotency_key() {
    let is_odd = |operation: &Operation| operation.takes_key == (operation.method == Method::GET);
    let odd: Vec<String> =
        operations().into_iter().filter(is_odd).map(|operation| operation.name()).collect();
    assert_eq!(odd, ["POST /api/v1/auth/logout", "POST /api/v1/auth/ticket"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_does_what_it_is_for() {
    let world = World::with_projections().await;
    world.ground.commands.define_starter_algorithms().await.unwrap();
    let with_key = operations().iter().filter(|operation| operation.takes_key).map(Operation::name).collect();
    let mut walk = Walk { world, done: BTreeSet::new(), with_key, uses: 0 };
    let user = accounts(&mut walk).await;
    chats(&mut walk, &user).await;
    generations(&mut walk, &user).await;
    let admin = walk.world.admin().await;
    templates(&mut walk, &admin).await;
    administration(&mut walk, &admin, &user).await;
    let all: BTreeSet<String> = operations().iter().map(Operation::name).collect();
    assert!(LIVE.iter().all(|stream| all.contains(*stream)));
    let is_missing = |name: &&String| !walk.done.contains(*name) && !LIVE.contains(&name.as_str());
    let missing: Vec<&String> = all.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "routes without a happy path: {missing:?}");
}

async fn accounts(walk: &mut Walk) -> Person {
    let login = login();
    let body = json!({ "email": login.email, "password": login.password });
    walk.go(None, "POST /api/v1/auth/register", &[], body.clone()).await;
    let session = walk.go(None, "POST /api/v1/auth/login", &[], body.clone()).await.body;
    let first = Person::of(&session);
    let next = json!({ "refresh_token": first.refresh_token });
    let session = walk.go(None, "POST /api/v1/auth/refresh", &[], next).await.body;
    let person = Person::of(&session);
    walk.go(Some(&person), "GET /api/v1/auth/me", &[], Value::Null).await;
    walk.go(Some(&person), "POST /api/v1/auth/ticket", &[], Value::Null).await;
    walk.go(Some(&person), "POST /api/v1/auth/logout", &[], Value::Null).await;
    walk.world.get("/api/v1/auth/me", Some(&person.token)).await.expect_problem(401, "unauthenticated");
    Person::of(&walk.go(None, "POST /api/v1/auth/login", &[], body).await.body)
}

async fn chats(walk: &mut Walk, user: &Person) {
    let who = Some(user);
    let chat = "/api/v1/chat/conversations/{conversation_id}";
    let id = id_of(&walk.go(who, "POST /api/v1/chat/conversations", &[], json!({})).await);
    let said = json!({ "type": "text", "content": "a cat" });
    walk.go(who, &format!("POST {chat}/messages"), &[&id], said).await;
    let messages = walk.go(who, &format!("GET {chat}/messages"), &[&id], Value::Null).await.body;
    assert_eq!(messages["messages"][0]["content"], "a cat");
    let renamed = walk.go(who, &format!("PATCH {chat}"), &[&id], json!({ "title": "Cats" })).await.body;
    assert_eq!(renamed["title"], "Cats");
    assert_eq!(walk.go(who, &format!("GET {chat}"), &[&id], Value::Null).await.body["title"], "Cats");
    let list = walk.go(who, "GET /api/v1/chat/conversations", &[], Value::Null).await.body;
    assert_eq!(list["conversations"].as_array().unwrap().len(), 1);
    walk.go(who, &format!("DELETE {chat}"), &[&id], Value::Null).await;
    walk.go(who, "GET /api/v1/chat/suggestions", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/algorithms", &[], Value::Null).await;
}

async fn generations(walk: &mut Walk, user: &Person) {
    let who = Some(user);
    let face = walk.upload(user, "/api/v1/assets", &[("asset_type", "face")]).await;
    walk.go(who, "GET /api/v1/assets", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/assets/{asset_id}/content", &[&face], Value::Null).await;
    let algorithm = walk.world.ground.algorithm(1).await.0.to_string();
    let order = json!({ "prompt": "a cat", "algorithm_id": algorithm });
    walk.world.ground.generator.hold();
    let worker = walk.world.ground.work(Role::Generation);
    let create = "POST /api/v1/generation/create";
    let cancelled = id_of(&walk.go(who, create, &[], order.clone()).await);
    walk.go(who, "POST /api/v1/generation/{request_id}/cancel", &[&cancelled], Value::Null).await;
    let drawn = id_of(&walk.go(who, create, &[], order).await);
    walk.world.ground.generator.let_go();
    eventually("the picture is there", async || {
        let path = format!("/api/v1/generation/{drawn}/status");
        walk.world.get(&path, Some(&user.token)).await.body["status"] == "completed"
    })
    .await;
    walk.go(who, "GET /api/v1/generation/{request_id}/status", &[&drawn], Value::Null).await;
    let image = walk.go(who, "GET /api/v1/generation/{request_id}/image", &[&drawn], Value::Null).await;
    assert_eq!(image.header("content-type"), "image/png");
    assert!(image.bytes.starts_with(b"\x89PNG"));
    walk.go(who, "POST /api/v1/generation/{request_id}/regenerate", &[&drawn], Value::Null).await;
    walk.go(who, "GET /api/v1/generation", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/credits/balance", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/credits/transactions", &[], Value::Null).await;
    walk.go(who, "DELETE /api/v1/assets/{asset_id}", &[&face], Value::Null).await;
    worker.stop().await;
}

async fn templates(walk: &mut Walk, admin: &Person) {
    let who = Some(admin);
    let fields = [("category", "gaming"), ("tags", "fire"), ("description", "a loud one")];
    let id = walk.upload(admin, "/api/v1/admin/templates", &fields).await;
    let one = "/api/v1/admin/templates/{template_id}";
    let worker = walk.world.ground.work(Role::Analysis);
    eventually("the template is analysed", async || {
        let path = format!("/api/v1/admin/templates/{id}");
        walk.world.get(&path, Some(&admin.token)).await.body["status"] == "analyzed"
    })
    .await;
    worker.stop().await;
    walk.go(who, &format!("GET {one}"), &[&id], Value::Null).await;
    walk.go(who, &format!("PATCH {one}"), &[&id], json!({ "is_active": true })).await;
    walk.go(who, "GET /api/v1/admin/templates", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/admin/templates/counts", &[], Value::Null).await;
    let query = "?query=gaming%20fire";
    walk.go_with(who, "GET /api/v1/admin/templates/search", &[], query, Value::Null).await;
    walk.go(who, &format!("GET {one}/image"), &[&id], Value::Null).await;
    walk.go(who, &format!("POST {one}/analyze"), &[&id], Value::Null).await;
}

async fn administration(walk: &mut Walk, admin: &Person, user: &Person) {
    let who = Some(admin);
    let of_user = "/api/v1/admin/users/{user_id}";
    walk.go(who, &format!("POST {of_user}/credits"), &[&user.id], json!({ "amount": 5 })).await;
    walk.go(who, "GET /api/v1/admin/parked", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/admin/projections", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/admin/projections/{name}/parked", &["conversations"], Value::Null).await;
    walk.go(who, "POST /api/v1/admin/projections/{name}/retry", &["conversations"], Value::Null).await;
    parked_work(walk, admin).await;
    walk.go(who, "GET /api/v1/admin/events", &[], Value::Null).await;
    walk.go(who, "GET /api/v1/admin/events/{position}/causes", &["1"], Value::Null).await;
    walk.go(who, "GET /api/v1/admin/aggregates/{type}/{id}", &["user", &user.id], Value::Null).await;
    walk.go(who, &format!("DELETE {of_user}/personal-data"), &[&user.id], Value::Null).await;
    walk.go(None, "GET /health", &[], Value::Null).await;
    walk.go(None, "GET /health/live", &[], Value::Null).await;
    walk.go(who, "GET /health/detailed", &[], Value::Null).await;
    walk.go(who, "GET /metrics", &[], Value::Null).await;
}

/// The last analysis was asked for and nobody has done it: it stands for one that failed too often.
async fn parked_work(walk: &mut Walk, admin: &Person) {
    let who = Some(admin);
    let work_id = parked_analysis(&walk.world.ground).await.to_string();
    let list = walk.go(who, "GET /api/v1/admin/work/parked", &[], Value::Null).await.body;
    assert_eq!(list["parked"][0]["work_id"], work_id);
    walk.go(who, "POST /api/v1/admin/work/{work_id}/retry", &[&work_id], Value::Null).await;
    let left = walk.go(who, "GET /api/v1/admin/work/parked", &[], Value::Null).await.body;
    assert_eq!(left["total"], 0);
}
