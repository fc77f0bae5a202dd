//! Logins that nobody waits for.

use futures::future::join_all;
use serde_json::json;

use crate::support::client::Client;
use crate::support::raw::Raw;
use crate::support::world::World;

const DROPPED: usize = 250;
const GROWTH_MIB_MAX: u64 = 100;

fn login(email: &str, password: &str) -> String {
    let body = json!({ "email": email, "password": password }).to_string();
    let length = body.len();
    format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_hang_up_at_once_fill_no_memory() {
    let world = World::with(&[], &[]).await;
    let server = &world.server.address;
    let user = world.user().await;
    let email = user.user["email"].as_str().unwrap();
    world.server.forget_peak();
    let before = world.server.memory_mib();
    let wrong = login(email, "battery staple");
    let hang_up = || async {
        let mut raw = Raw::connect(server).await;
        raw.send(&wrong).await;
    };
    for _ in 0..DROPPED / 50 {
        join_all((0..50).map(|_| hang_up())).await;
    }
    // Those who stay are answered, or told to come back.
    let stay = || async {
        let mut raw = Raw::connect(server).await;
        raw.send(&wrong).await;
        let answer = raw.answer().await.expect("a login is answered");
        match answer.status {
            401 => answer.expect_problem(401, "wrong_credentials"),
            _ => {
                answer.expect_problem(503, "unavailable");
                assert!(answer.header("retry-after").is_some());
            }
        }
    };
    join_all((0..100).map(|_| stay())).await;
    let growth = world.server.peak_memory_mib().saturating_sub(before);
    eprintln!("{DROPPED} dropped logins: {before} MiB and {growth} MiB more");
    assert!(growth < GROWTH_MIB_MAX, "memory grew by {growth} MiB");
    Client::log_in(server, &world.told, email, "correct horse").await;
}
