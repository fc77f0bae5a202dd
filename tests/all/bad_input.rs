//! Bad input gets the right answer as a problem, and nothing of it is stored.

use event_log::clock;
use reqwest::Method;
use serde_json::json;

use crate::support::client::Client;
use crate::support::picture::{pixel_bomb, png};
use crate::support::world::World;

/// The number of events and of files, to see that nothing was stored.
async fn stored(world: &World) -> (i64, usize) {
    let events = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&world.pool).await.unwrap();
    let files = std::fs::read_dir(world.surroundings.data.join("objects/people")).map_or(0, Iterator::count);
    (events, files)
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_wrong_types_and_wrong_lengths_are_refused() {
    let world = World::with(&[], &["relay", "projections"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let before = stored(&world).await;
    let create = "/api/v1/generation/create";
    let raw = |text: &'static str, kind: &'static str| {
        user.request(Method::POST, create).header("content-type", kind).body(text)
    };
    user.send(raw("{ not json", "application/json")).await.expect_problem(400, "malformed");
    user.send(raw("{}", "text/plain")).await.expect_problem(415, "unsupported_media_type");
    let wrong_type = json!({ "prompt": 7, "algorithm_id": "routix_v1" });
    user.post(create, &wrong_type).await.expect_problem(422, "invalid");
    for (prompt, custom_text, field) in [
        (String::new(), String::new(), "prompt"),
        ("x".repeat(1001), String::new(), "prompt"),
        ("fine".to_owned(), "y".repeat(201), "custom_text"),
    ] {
        let order = json!({ "prompt": prompt, "custom_text": custom_text, "algorithm_id": "routix_v1" });
        let problem = user.post(create, &order).await.expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let elsewhere = json!({
        "prompt": "fine", "algorithm_id": "routix_v1", "user_face_url": "http://169.254.169.254/latest/meta-data"
    });
    user.post(create, &elsewhere).await.expect_problem(422, "invalid");
    let unknown = json!({ "prompt": "fine", "algorithm_id": "routix_nine" });
    user.post(create, &unknown).await.expect_problem(404, "not_found");
    let rude = json!({ "prompt": "porn for everybody", "algorithm_id": "routix_v1" });
    user.post(create, &rude).await.expect_problem(422, "content_rejected");
    let messages = format!("/api/v1/chat/conversations/{chat}/messages");
    let bad_type = json!({ "type": "shout", "content": "hi" });
    user.post(&messages, &bad_type).await.expect_problem(422, "invalid");
    let early = json!({ "type": "algorithm_selection", "metadata": { "algorithm_id": "routix_v1" } });
    user.post(&messages, &early).await.expect_problem(409, "no_open_brief");
    user.get("/api/v1/chat/conversations/not-a-uuid").await.expect_problem(400, "malformed");
    user.get("/api/v1/nothing/here").await.expect_problem(404, "not_found");
    user.send(user.request(Method::PUT, create)).await.expect_problem(405, "method_not_allowed");
    let big = user
        .request(Method::POST, create)
        .json(&json!({ "prompt": "x".repeat(70_000), "algorithm_id": "a" }));
    user.send(big).await.expect_problem(413, "too_large");
    for (email, password) in
        [("no-at-sign", "long enough"), ("a@b", "long enough"), ("a@example.com", "short")]
    {
        let login = json!({ "email": email, "password": password });
        world.anonymous().post("/api/v1/auth/register", &login).await.expect_problem(422, "invalid");
    }
    assert_eq!(stored(&world).await, before);
    let longest =
        json!({ "prompt": "z".repeat(1000), "custom_text": "w".repeat(200), "algorithm_id": "routix_v1" });
    user.post(create, &longest).await.expect(201);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_known_by_their_bytes_and_bounded() {
    let world = World::with(&[], &["relay", "projections"]).await;
    let user = world.user().await;
    let before = stored(&world).await;
    let mut program = b"MZ\x90\x00".to_vec();
    program.resize(4096, 0);
    user.upload(program, "portrait.png", "face").await.expect_problem(415, "unsupported_media_type");
    user.upload(vec![7; 20 << 20], "big.png", "face").await.expect_problem(413, "too_large");
    user.upload(pixel_bomb(), "bomb.png", "face").await.expect_problem(422, "too_many_pixels");
    let mut cut = png([9, 9, 9]);
    cut.truncate(cut.len() / 2);
    user.upload(cut, "half.png", "face").await.expect_problem(422, "corrupt_picture");
    user.upload(png([9, 9, 9]), "face.png", "hat").await.expect_problem(422, "invalid");
    let no_form = user.request(Method::POST, "/api/v1/assets").json(&json!({}));
    user.send(no_form).await.expect_problem(415, "unsupported_media_type");
    assert_eq!(stored(&world).await, before);
    one_key_for_two_pictures_replaces_neither(&user).await;
    let kept = user.upload(png([9, 9, 9]), "../../face.exe", "face").await;
    let position = kept.position();
    let kept = kept.expect(201);
    let list = user.get_after("/api/v1/assets", position).await.expect(200);
    assert_eq!(list["assets"][0]["id"], kept["id"]);
    let content = user.get(kept["file_url"].as_str().unwrap()).await;
    assert!(content.content_type.starts_with("image/"), "{}", content.content_type);
    world.check(&[]).await;
}

/// A refused upload must not have replaced what its key had uploaded before.
async fn one_key_for_two_pictures_replaces_neither(user: &Client) {
    let upload = |colour: [u8; 3]| {
        let form = reqwest::multipart::Form::new()
            .part("file", reqwest::multipart::Part::bytes(png(colour)).file_name("a.png"))
            .text("asset_type", "face");
        user.request(Method::POST, "/api/v1/assets").multipart(form).header("Idempotency-Key", "picture")
    };
    let first = user.send(upload([10, 20, 30])).await.expect(201);
    let content = first["file_url"].as_str().unwrap();
    let before = user.get(content).await.bytes;
    user.send(upload([200, 100, 50])).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(user.get(content).await.bytes, before);
    assert_eq!(user.send(upload([10, 20, 30])).await.expect(201), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_somebody_else_is_not_there() {
    let world = World::start().await;
    let (owner, stranger) = (world.user().await, world.user().await);
    let face = owner.upload(png([1, 200, 3]), "me.png", "face").await.expect(201);
    let order = owner.order("my own").await.expect(201);
    let request = order["id"].as_str().unwrap();
    owner.finished(request).await;
    for path in [
        format!("/api/v1/generation/{request}/status"),
        format!("/api/v1/generation/{request}/image"),
        format!("/api/v1/assets/{}/content", face["id"].as_str().unwrap()),
    ] {
        owner.get(&path).await.expect_ok();
        stranger.get(&path).await.expect_problem(404, "not_found");
    }
    let theirs = json!({
        "prompt": "with a stolen face", "algorithm_id": "routix_v1", "user_face_url": face["file_url"]
    });
    stranger.post("/api/v1/generation/create", &theirs).await.expect_problem(404, "not_found");
    let nowhere = format!("/api/v1/generation/{}/status", clock::new_id());
    owner.get(&nowhere).await.expect_problem(404, "not_found");
    let wrong_kind = json!({
        "prompt": "a face as a logo", "algorithm_id": "routix_v1", "user_logo_url": face["file_url"]
    });
    owner.post("/api/v1/generation/create", &wrong_kind).await.expect_problem(422, "wrong_asset_kind");
    let gone = format!("/api/v1/assets/{}", face["id"].as_str().unwrap());
    stranger.send(stranger.request(Method::DELETE, &gone)).await.expect_problem(404, "not_found");
    assert_eq!(owner.send(owner.request(Method::DELETE, &gone)).await.status, 204);
    stranger.send(stranger.request(Method::DELETE, &gone)).await.expect_problem(404, "not_found");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let world = World::with(&[], &[]).await;
    let nobody = Client::anonymous(&world.server.address, &world.told);
    for path in ["/health", "/api/v1/auth/me", "/nothing"] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let strict = answer.header("strict-transport-security");
        assert_eq!(strict, Some("max-age=31536000; includeSubDomains"));
    }
    let preflight = |origin: &'static str| {
        nobody
            .request(Method::OPTIONS, "/api/v1/algorithms")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
    };
    let allowed = nobody.send(preflight("https://app.routix.com")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.routix.com"));
    let denied = nobody.send(preflight("https://evil.example")).await;
    assert_eq!(denied.header("access-control-allow-origin"), None);
    world.check(&[]).await;
}
