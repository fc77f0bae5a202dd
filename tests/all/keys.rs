//! The secret key and the keys that it wraps.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::client::Client;
use crate::support::process::{SECRET, Surroundings};
use crate::support::world::World;

const NEXT_SECRET: &str = "the next secret for tests, which is long enough too";

/// The same place, seen by a process that has this secret key and accepts another one.
fn with_keys(world: &World, current: &str, accepted: &str) -> Surroundings {
    let mut surroundings = world.surroundings.clone();
    surroundings.extra.push(("ROUTIX_SECRET_KEY", current.to_owned()));
    surroundings.extra.push(("ROUTIX_SECRET_KEY_OLD", accepted.to_owned()));
    surroundings
}

async fn run(surroundings: &Surroundings, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = surroundings.command(arguments).output().await.unwrap();
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_changed_while_the_service_runs_and_everything_still_opens() {
    // First every process accepts the next key, so that none is left behind when it comes.
    let world = World::with(&[("ROUTIX_SECRET_KEY_OLD", NEXT_SECRET)], &["all"]).await;
    let user = world.user().await;
    let email = user.user["email"].as_str().unwrap();
    let chat = user.start_chat().await;
    let message = json!({ "type": "text", "content": "a castle of marmalade" });
    let path = format!("/api/v1/chat/conversations/{chat}/messages");
    let first = user.post_with_key(&path, &message, "once").await.expect(201);

    let both = with_keys(&world, NEXT_SECRET, SECRET);
    let changed = both.start(&["serve"]).await;
    let (done, printed) = run(&both, &["keys", "rotate"]).await;
    assert!(done && printed.contains("done: all 6 keys"), "{printed}");
    let old_wrap = run(&with_keys(&world, SECRET, ""), &["keys", "rotate"]).await;
    assert!(!old_wrap.0 && old_wrap.1.contains("the key does not fit"), "{}", old_wrap.1);

    // The server that still has the old key first goes on, and so do its tokens at the other.
    user.say(&chat, &json!({ "type": "text", "content": "and of honey" })).await.expect(201);
    user.at(&changed.address).get("/api/v1/auth/me").await.expect(200);
    let renewed = Client::log_in(&changed.address, &world.told, email, "correct horse").await;
    renewed.at(&world.server.address).get("/api/v1/auth/me").await.expect(200);
    // A person who came after the first run, by way of the old key, is found by the second.
    world.user().await;
    let (done, printed) = run(&both, &["keys", "rotate"]).await;
    assert!(done && printed.contains("1 keys wrapped anew"), "{printed}");

    let only_new = with_keys(&world, NEXT_SECRET, "");
    let last = only_new.start(&["serve"]).await;
    let session = Client::log_in(&last.address, &world.told, email, "correct horse").await;
    let list = session.get(&path).await.expect(200).to_string();
    assert!(list.contains("a castle of marmalade") && list.contains("and of honey"), "{list}");
    assert_eq!(session.get("/api/v1/auth/me").await.expect(200)["email"], email);
    let repeated = session.post_with_key(&path, &message, "once").await.expect(201);
    assert_eq!(repeated["id"], first["id"], "a repeated command is recognised");
    let taken = json!({ "email": email, "username": "Ada", "password": "correct horse" });
    let taken = world.anonymous().at(&last.address).post("/api/v1/auth/register", &taken).await;
    taken.expect_problem(409, "taken");
    let stranger = user.at(&last.address).get("/api/v1/auth/me").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "tokens of the old key end with it");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_backup_is_private_replaces_nothing_unasked_and_brings_keys_back() {
    let world = World::start().await;
    let user = world.user().await;
    let file = world.surroundings.data.join("keys.backup");
    let name = file.to_str().unwrap();
    let (done, printed) = run(&world.surroundings, &["keys", "backup", name]).await;
    assert!(done && printed.contains("1 keys are in"), "{printed}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (done, printed) = run(&world.surroundings, &["keys", "backup", name]).await;
    assert!(!done && printed.contains("--force"), "{printed}");
    assert!(run(&world.surroundings, &["keys", "backup", name, "--force"]).await.0);
    sqlx::query("DELETE FROM data_keys").execute(&world.pool).await.unwrap();
    let (done, printed) = run(&world.surroundings, &["keys", "restore", name]).await;
    assert!(done && printed.contains("1 keys restored"), "{printed}");
    let fresh = world.surroundings.start(&["serve"]).await;
    let email = user.user["email"].as_str().unwrap();
    let again = Client::log_in(&fresh.address, &world.told, email, "correct horse").await;
    assert_eq!(again.user["email"], email);
    std::fs::write(&file, "nonsense\n").unwrap();
    let (done, printed) = run(&world.surroundings, &["keys", "restore", name]).await;
    assert!(!done && printed.contains("no backup of keys"), "{printed}");
    world.check(&[]).await;
}
