//! The secret library: uploaded and searched by admins, matched to prompts, seen by nobody else.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

async fn upload(admin: &Client, category: &str, words: &str) -> Answer {
    let library = providers::starter::library();
    let source = library.iter().find(|template| template.category == category).unwrap();
    let form = Form::new()
        .part("file", Part::bytes(source.draw().unwrap()).file_name("template.png"))
        .text("category", category.to_owned())
        .text("tags", format!("{category},bold"))
        .text("description", words.to_owned());
    admin.send(admin.request(Method::POST, "/api/v1/admin/templates").multipart(form)).await
}

async fn analyzed(admin: &Client, id: &str) -> Value {
    eventually("the template is analysed", || async {
        let template = admin.get(&format!("/api/v1/admin/templates/{id}")).await.body;
        (template["status"] == "analyzed").then_some(template)
    })
    .await
}

/// Collects everything that users are shown and looks for words that must not be in it.
struct Crawl(Vec<(String, String)>);

impl Crawl {
    fn add(&mut self, place: &str, text: &[u8]) {
        self.0.push((place.to_owned(), String::from_utf8_lossy(text).into_owned()));
    }

    fn holds_none_of(&self, secrets: &[String]) {
        for (place, text) in &self.0 {
            for secret in secrets {
                assert!(!text.contains(secret.as_str()), "{place} shows {secret}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_analysed_matched_and_never_shown_to_users() {
    let world = World::start().await;
    let admin = world.admin().await;
    let mut ids = Vec::new();
    for (category, words) in [("gaming", "explosions and battle"), ("food", "fresh pasta, calm")] {
        let template = upload(&admin, category, words).await.expect(201);
        assert_eq!(template["status"], "pending_analysis");
        let template = analyzed(&admin, template["id"].as_str().unwrap()).await;
        assert!((1..=10).contains(&template["energy_level"].as_i64().unwrap()));
        ids.push(template["id"].as_str().unwrap().to_owned());
    }
    let hits = admin.get("/api/v1/admin/templates/search?query=gaming%20explosions").await.expect(200);
    assert_eq!(hits["templates"][0]["id"], ids[0].as_str());
    assert!(hits["templates"][0]["similarity_score"].as_f64().unwrap() > 0.4);
    let list = admin.get("/api/v1/admin/templates?category=food&status=analyzed").await.expect(200);
    assert_eq!((&list["total"], &list["templates"][0]["id"]), (&json!(1), &json!(ids[1])));
    let picture = admin.get(&format!("/api/v1/admin/templates/{}/image", ids[0])).await;
    assert!(picture.content_type.starts_with("image/"));

    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let mut crawl = Crawl(vec![]);
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "Create gaming thumbnail with explosions" }))
        .await
        .expect(201);
    let choice = json!({ "type": "algorithm_selection", "metadata": { "algorithm_id": "routix_v1" } });
    user.say(&chat, &choice).await.expect(201);
    user.say(&chat, &json!({ "type": "text", "content": "skip" })).await.expect(201);
    let card = socket.until_message("thumbnail_result").await;
    let request = card["metadata"]["request_id"].as_str().unwrap();
    let matched: Value = sqlx::query_scalar(
        "SELECT payload::jsonb FROM events WHERE event_type = 'TemplatesMatched' AND aggregate_id = $1",
    )
    .bind(request)
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(
        matched["matches"][0]["template_id"],
        ids[0].as_str(),
        "a gaming prompt finds the gaming template"
    );

    let mut paths = vec![
        "/health".to_owned(),
        "/health/detailed".to_owned(),
        format!("/api/v1/chat/conversations/{chat}/messages"),
        format!("/api/v1/generation/{request}/status"),
        format!("/api/v1/generation/{request}/image"),
    ];
    let document = user.get("/openapi.json").await.expect(200);
    for (path, methods) in document["paths"].as_object().unwrap() {
        let open = methods.get("get").is_some() && !path.contains("/admin/");
        if open && path != "/api/v1/events/stream" && path != "/ws" {
            paths.push(
                path.replace("{conversation_id}", &chat)
                    .replace("{request_id}", request)
                    .replace("{asset_id}", request),
            );
        }
    }
    for path in paths {
        crawl.add(&path, &user.get(&path).await.bytes);
    }
    for frame in &socket.frames {
        crawl.add("a live frame", frame.to_string().as_bytes());
    }
    let mut secrets = ids.clone();
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT image_key, thumbnail_key, style_dna::text FROM templates")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    for (image, preview, _) in rows {
        secrets.extend([image, preview]);
    }
    secrets.extend(["style_dna", "embedding", "primary_colors", "similarity"].map(str::to_owned));
    crawl.holds_none_of(&secrets);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_template_is_found_no_more_and_a_broken_one_is_refused() {
    let world = World::start().await;
    let admin = world.admin().await;
    let template = upload(&admin, "music", "loud concert").await.expect(201);
    let id = template["id"].as_str().unwrap();
    analyzed(&admin, id).await;
    let search = "/api/v1/admin/templates/search?query=loud%20music%20concert";
    let hits = admin.get(search).await.expect(200);
    assert_eq!(hits["templates"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/admin/templates/{id}");
    let off = admin.send(admin.request(Method::PATCH, &path).json(&json!({ "is_active": false }))).await;
    let hits = admin.get_after(search, off.position()).await.expect(200);
    assert_eq!(hits["templates"].as_array().unwrap().len(), 0);
    let form = Form::new()
        .part("file", Part::bytes(b"not a picture".to_vec()).file_name("x.png"))
        .text("category", "music");
    let broken = admin.send(admin.request(Method::POST, "/api/v1/admin/templates").multipart(form)).await;
    broken.expect_problem(415, "unsupported_media_type");
    world.check(&[]).await;
}
