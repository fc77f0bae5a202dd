//! Uploads that do not end.

use futures::future::join_all;
use reqwest::Method;
use tokio::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::eventually_within;
use crate::support::picture::png;
use crate::support::raw::Raw;
use crate::support::world::World;

const HELD: usize = 60;
const BYTES: usize = 10 << 20;
const GROWTH_MIB_MAX: u64 = 300;

/// Sends an upload but for its last bytes, as far as the server reads it.
async fn hold(user: &Client) -> Raw {
    let head = format!(
        "POST /api/v1/assets HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\nContent-Length: {BYTES}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n",
        user.token
    );
    let mut raw = Raw::connect(&user.server).await;
    raw.send(head).await;
    raw
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_do_not_end_fill_no_memory() {
    let world = World::with(&[], &["relay", "projections"]).await;
    let users = join_all((0..HELD / 2).map(|_| world.user())).await;
    let bystander = world.user().await;
    world.server.forget_peak();
    let before = world.server.memory_mib();
    let mut held = join_all(users.iter().chain(&users).map(hold)).await;
    // What the server does not read stays in the sockets, so those who send it are left behind.
    let body = vec![7; BYTES - 4096];
    let sent = join_all(held.iter_mut().map(|raw| raw.send_within(&body, Duration::from_secs(3)))).await;
    let read = sent.iter().filter(|is_sent| **is_sent).count();
    let growth = world.server.peak_memory_mib().saturating_sub(before);
    eprintln!("{HELD} held uploads, {read} of them read: {before} MiB and {growth} MiB more");
    assert!(growth < GROWTH_MIB_MAX, "memory grew by {growth} MiB");
    assert!(read > 10, "uploads are read as long as there is room");

    // A third upload of somebody is refused at once, also with no room left.
    let asked = Instant::now();
    let mut third = hold(&users[0]).await;
    let refused = third.answer().await.expect("it is refused");
    refused.expect_problem(429, "too_many_uploads");
    assert!(asked.elapsed() < Duration::from_secs(5) && refused.header("retry-after").is_some());
    drop(held);
    // When they are gone there is room again.
    eventually_within(Duration::from_mins(1), "the room is free again", || async {
        let answer = bystander.upload(png([200, 30, 30]), "a.png", "logo").await;
        (answer.status == 201).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_counted_before_their_bodies_are_read() {
    let world = World::with(&[("ROUTIX_RATE_LIMITS", "true")], &["relay", "projections"]).await;
    let user = world.user().await;
    for _ in 0..30 {
        let empty = user.request(Method::POST, "/api/v1/assets").header("content-type", "text/plain");
        user.send(empty.body("nothing")).await.expect_problem(415, "unsupported_media_type");
    }
    let mut raw = hold(&user).await;
    raw.answer().await.expect("it is refused with no body there").expect_problem(429, "rate_limited");
}
