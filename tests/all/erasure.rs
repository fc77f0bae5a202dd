//! Erased persons: their words are gone everywhere, at once, and no backup brings them back.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::support::client::{Answer, Client};
use crate::support::picture::png;
use crate::support::process::Surroundings;
use crate::support::socket::Socket;
use crate::support::world::World;
use crate::support::{checker, eventually, servers};

const WORD: &str = "marmalade";
const PASSWORD: &str = "correct horse";

/// A person who left words and pictures everywhere.
async fn somebody_with_a_past(world: &World) -> Client {
    let user = world.user().await;
    let chat = user.start_chat().await;
    let message = json!({ "type": "text", "content": format!("a castle of {WORD}") });
    user.say(&chat, &message).await.expect(201);
    user.upload(png([9, 9, 9]), &format!("{WORD}.png"), "face").await.expect(201);
    let order =
        json!({ "prompt": format!("a {WORD} volcano"), "custom_text": WORD, "algorithm_id": "routix_v1" });
    let order = user.post("/api/v1/generation/create", &order).await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    user
}

async fn erase(admin: &Client, user: &Client) -> Answer {
    let path = format!("/api/v1/admin/users/{}/personal-data", user.user_id());
    admin.send(admin.request(Method::DELETE, &path)).await
}

async fn log_in(server: &str, user: &Client) -> Answer {
    let told = crate::support::client::Told::default();
    let login = json!({ "email": user.user["email"], "password": PASSWORD });
    Client::anonymous(server, &told).post("/api/v1/auth/login", &login).await
}

/// In how many rows of any table a text can be read.
async fn rows_with(pool: &PgPool, text: &str) -> i64 {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
    let (mut rows, hex) = (0, hex::encode(text));
    for table in tables {
        let query = format!(
            "SELECT count(*) FROM {table} AS t \
             WHERE position($1 IN lower(t::text)) > 0 OR position($2 IN t::text) > 0"
        );
        let count: i64 = sqlx::query_scalar(&query).bind(text).bind(&hex).fetch_one(pool).await.unwrap();
        rows += count;
    }
    rows
}

async fn is_gone(pool: &PgPool, text: &str) {
    eventually("the words are gone", || async { (rows_with(pool, text).await == 0).then_some(()) }).await;
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| if entry.path().is_dir() { files(&entry.path()) } else { 1 };
    entries.flatten().map(count).sum()
}

fn pictures(world: &World) -> usize {
    files(&world.surroundings.data.join("objects/people"))
}

async fn rebuild(surroundings: &Surroundings, projection: &str) {
    let done = surroundings.command(&["rebuild", projection]).output().await.unwrap();
    let printed =
        format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{printed}");
    assert!(printed.contains("equal") && !printed.contains("DIFFERS"), "{printed}");
}

async fn rebuild_everything(surroundings: &Surroundings) {
    for projection in projections::all().iter().filter(|projection| !projection.spec().tables.is_empty()) {
        rebuild(surroundings, projection.spec().name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_words_are_gone_in_every_process() {
    let world = World::start().await;
    let second = world.surroundings.start(&["serve"]).await;
    let (admin, user) = (world.admin().await, somebody_with_a_past(&world).await);
    let (there, other) = (user.at(&second.address), world.user().await);
    let email = user.user["email"].as_str().unwrap().to_owned();
    let history = format!("/api/v1/admin/events?owner={}&limit=200", user.user_id());
    // The second server has keys, states and a socket of this person in its memory.
    let mut socket = Socket::open(&there, None).await;
    there.get("/api/v1/auth/me").await.expect(200);
    let told = admin.at(&second.address).get_seen(&history).await.expect(200).to_string();
    assert!(told.contains(WORD), "{told}");
    assert!(rows_with(&world.pool, WORD).await > 0, "the search finds what is in the clear");
    assert_eq!(pictures(&world), 2);

    let erased = erase(&admin, &user).await;
    let position = erased.position();
    assert_eq!(erased.expect(200)["user_id"], user.user["id"]);
    socket.closed().await;
    eventually("the second server has heard", || async {
        let told = admin.at(&second.address).get_after(&history, position).await.expect(200).to_string();
        (!told.contains(WORD) && told.contains("erased")).then_some(())
    })
    .await;
    for server in [&world.server.address, &second.address] {
        user.at(server).get("/api/v1/auth/me").await.expect_problem(401, "unauthenticated");
        let token = json!({ "refresh_token": user.refresh_token });
        let refused = user.at(server).post("/api/v1/auth/refresh", &token).await;
        refused.expect_problem(401, "refresh_token_invalid");
        log_in(server, &user).await.expect_problem(401, "wrong_credentials");
    }
    is_gone(&world.pool, WORD).await;
    is_gone(&world.pool, &email).await;
    eventually("pictures are deleted", || async { (pictures(&world) == 0).then_some(()) }).await;
    erase(&admin, &user).await.expect(200);
    let nobody = format!("/api/v1/admin/users/{}/personal-data", event_log::clock::new_id());
    admin.send(admin.request(Method::DELETE, &nobody)).await.expect_problem(404, "not_found");
    erase(&other, &other).await.expect_problem(403, "admin_required");
    other.get("/api/v1/auth/me").await.expect(200);
    let again = json!({ "email": email, "username": "Ada", "password": PASSWORD });
    let again = world.anonymous().post("/api/v1/auth/register", &again).await.expect(201);
    assert_ne!(again["user"]["id"], user.user["id"], "the address is free, the account is another");
    // The stream says what the log says, and the log says nothing in the clear: so neither does the stream.
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_after_an_erasure_equals_the_live_tables() {
    let world = World::start().await;
    let user = somebody_with_a_past(&world).await;
    let other = somebody_with_a_past(&world).await;
    let erased = world.surroundings.command(&["erase", user.user["email"].as_str().unwrap()]).output().await;
    let erased = erased.unwrap();
    assert!(erased.status.success(), "{}", String::from_utf8_lossy(&erased.stderr));
    world.check(&[]).await;
    let of_user =
        "SELECT count(*) FROM messages WHERE user_id = $1 AND role = 'user' AND content <> 'erased'";
    for (person, is_erased) in [(&user, true), (&other, false)] {
        let clear: i64 =
            sqlx::query_scalar(of_user).bind(person.user_id()).fetch_one(&world.pool).await.unwrap();
        assert_eq!(clear == 0, is_erased);
    }
    rebuild_everything(&world.surroundings).await;
    world.check(&[]).await;
}

/// A copy of the database as it is now. Nobody may be at it, so the world's processes are killed.
async fn copy(world: &mut World, name: &str) -> String {
    world.server.kill().await;
    for worker in &mut world.workers {
        worker.kill().await;
    }
    world.pool.close().await;
    let (server, original) = world.surroundings.database_url.rsplit_once('/').unwrap();
    let statement = format!("CREATE DATABASE {name} TEMPLATE {original}");
    eventually("the database can be copied", || async {
        let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        // What the killed processes left behind, and whatever cleans up by itself, is sent away.
        let others = sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1");
        others.bind(original).execute(&mut connection).await.unwrap();
        let copied = connection.execute(statement.as_str()).await;
        if let Err(error) = &copied {
            eprintln!("the database cannot be copied yet: {error}");
        }
        copied.is_ok().then_some(())
    })
    .await;
    format!("{server}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_does_not_bring_an_erased_person_back() {
    let mut world = World::start().await;
    let user = somebody_with_a_past(&world).await;
    let email = user.user["email"].as_str().unwrap().to_owned();
    checker::check(&world.pool, &world.surroundings.nats_url, &world.told, &[]).await;
    let backup = copy(&mut world, &format!("backup_{}", event_log::clock::new_id().simple())).await;
    let keys = world.surroundings.data.join("keys.backup");
    let command = ["keys", "backup", keys.to_str().unwrap()];
    assert!(world.surroundings.command(&command).output().await.unwrap().status.success());
    let erased = world.surroundings.command(&["erase", &user.user_id().to_string()]).output().await.unwrap();
    assert!(erased.status.success(), "{}", String::from_utf8_lossy(&erased.stderr));

    // The backup has the key, the account and the words; only what was kept apart knows better.
    let nats = servers::nats().await;
    let restored = Surroundings { database_url: backup, nats_url: nats.url(), ..world.surroundings.clone() };
    let pool = PgPool::connect(&restored.database_url).await.unwrap();
    let alive = "SELECT count(*) FROM data_keys WHERE owner = $1 AND wrapped IS NOT NULL";
    let alive =
        async || -> i64 { sqlx::query_scalar(alive).bind(user.user_id()).fetch_one(&pool).await.unwrap() };
    assert_eq!(alive().await, 1, "a restored database has the key again");
    let server = restored.start(&["serve"]).await;
    assert_eq!(alive().await, 0, "it is gone before anybody is served");
    log_in(&server.address, &user).await.expect_problem(401, "wrong_credentials");
    user.at(&server.address).get("/api/v1/auth/me").await.expect_problem(401, "unauthenticated");
    let _worker = restored.start(&["work", "--role", "all"]).await;
    is_gone(&pool, WORD).await;
    is_gone(&pool, &email).await;
    let brought = restored.command(&["keys", "restore", keys.to_str().unwrap()]).output().await.unwrap();
    let printed = String::from_utf8_lossy(&brought.stdout).into_owned();
    assert!(brought.status.success() && printed.contains(" 1 belong to erased persons"), "{printed}");
    assert_eq!(alive().await, 0);
    let replay = restored.command(&["erase", "--replay"]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&replay.stdout).trim(), "0 persons were erased again");
    let again = json!({ "email": email, "username": "Ada", "password": PASSWORD });
    let again: Value = user.at(&server.address).post("/api/v1/auth/register", &again).await.expect(201);
    assert_ne!(again["user"]["id"], user.user["id"]);
    rebuild_everything(&restored).await;
    let told = crate::support::client::Told::default();
    checker::check(&pool, &restored.nats_url, &told, &[]).await;
}
