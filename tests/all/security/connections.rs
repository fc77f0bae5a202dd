//! Clients that hold connections, send what is no request, or come and go.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::raw::{Raw, RawAnswer};
use crate::support::world::World;

const HALF_OPEN: usize = 1100;
const DESCRIPTORS: u32 = 1024;
const SOCKETS: usize = 1000;

/// A test that opens so many connections needs as many descriptors.
fn take_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// A request on a connection of its own; it must be answered within a second.
async fn is_alive(server: &str) {
    let asked = async {
        let mut raw = Raw::connect(server).await;
        raw.send("GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n").await;
        raw.answer().await.expect("the service is there").status
    };
    let status = timeout(Duration::from_secs(1), asked).await.expect("the answer comes within a second");
    assert_eq!(status, 200);
}

async fn half_open(server: &str) -> Raw {
    let mut raw = Raw::connect(server).await;
    raw.send("GET /health/live HTTP/1.1\r\nHost: here\r\nX-Slow: ").await;
    raw
}

/// A sample without labels, as Prometheus reads it.
async fn metric(client: &Client, name: &str) -> f64 {
    let text = String::from_utf8(client.get("/metrics").await.bytes).unwrap();
    let sample = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    sample.unwrap_or_else(|| panic!("{name} is not among the metrics"))
}

#[tokio::test(flavor = "multi_thread")]
async fn more_half_open_requests_than_descriptors_keep_nobody_out() {
    take_descriptors();
    let world = World::with(&[], &[]).await;
    let server = world.surroundings.start_with_descriptors(&["serve"], DESCRIPTORS).await;
    let mut held = Vec::new();
    for _ in 0..HALF_OPEN / 50 {
        held.extend(join_all((0..50).map(|_| half_open(&server.address))).await);
        is_alive(&server.address).await;
    }
    assert_eq!(held.len(), HALF_OPEN);
    for _ in 0..50 {
        is_alive(&server.address).await;
    }
    assert!(server.descriptors() < DESCRIPTORS as usize, "some are left for files and the database");
    let client = Client::anonymous(&server.address, &world.told);
    assert!(
        metric(&client, "routix_connections").await >= 700.0,
        "those that wait are ended only where they must"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_that_never_end_are_ended_and_a_connection_between_two_requests_is_not() {
    let world = World::with(&[], &[]).await;
    let server = &world.server.address;
    let user = world.user().await;
    let begun = Instant::now();
    let silent = async { (Raw::connect(server).await.answer().await.is_none(), begun.elapsed()) };
    let slow = async { (half_open(server).await.answer().await.is_none(), begun.elapsed()) };
    let mut resting = Raw::connect(server).await;
    let ask = "GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n";
    resting.send(ask).await;
    assert_eq!(resting.answer().await.unwrap().status, 200);
    let body = async {
        let mut raw = Raw::connect(server).await;
        let token = &user.token;
        raw.send(format!(
            "POST /api/v1/chat/conversations HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{"
        ))
        .await;
        (raw.answer().await, begun.elapsed())
    };
    let ((silent, silent_for), (slow, slow_for), (body, body_for)) = tokio::join!(silent, slow, body);
    assert!(silent && slow, "they are closed without a word");
    for (took, seconds) in [(silent_for, 10), (slow_for, 10), (body_for, 30)] {
        let took = took.as_secs();
        assert!((seconds - 1..seconds + 5).contains(&took), "{took} seconds instead of {seconds}");
    }
    body.expect("a late body has an answer").expect_problem(408, "request_timeout");
    resting.send(ask).await;
    assert_eq!(resting.answer().await.expect("it was let rest").status, 200);
}

async fn ask(server: &str, request: impl AsRef<[u8]>) -> RawAnswer {
    let mut raw = Raw::connect(server).await;
    raw.send(request).await;
    raw.answer().await.expect("a refusal is an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_before_it_reaches_a_route_is_a_problem_as_well() {
    let world = World::with(&[], &[]).await;
    let server = &world.server.address;
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    for malformed in [
        "\u{1}nonsense\r\n\r\n".to_owned(),
        "GET /health/live HTTP/9.9\r\nHost: here\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        get("/health/live", ""),
        get("/health/live", "Host: here\r\nHost: there\r\n"),
        get("/health/live", "Host: here, there\r\n"),
        get("/health/live", "Host: here\r\nno colon\r\n"),
    ] {
        ask(server, &malformed).await.expect_problem(400, "malformed");
    }
    for long in [9 << 10, 40 << 10, 70 << 10] {
        let path = format!("/health/live?{}", "a".repeat(long));
        ask(server, get(&path, "Host: here\r\n")).await.expect_problem(414, "uri_too_long");
    }
    for large in [33 << 10, 200 << 10] {
        let headers = format!("Host: here\r\nX-Large: {}\r\n", "a".repeat(large));
        ask(server, get("/health/live", &headers)).await.expect_problem(431, "headers_too_large");
    }
    let many = format!("Host: here\r\n{}", "X-Many: a\r\n".repeat(150));
    ask(server, get("/health/live", &many)).await.expect_problem(431, "headers_too_large");
    // A refusal behind an answer over the same connection, and an old client that names no host.
    let mut raw = Raw::connect(server).await;
    raw.send(get("/health/live", "Host: here\r\n")).await;
    assert_eq!(raw.answer().await.unwrap().status, 200);
    raw.send("\u{1}\r\n\r\n").await;
    raw.answer().await.unwrap().expect_problem(400, "malformed");
    assert_eq!(ask(server, "GET /health/live HTTP/1.0\r\n\r\n").await.status, 200);
}

/// Opens a socket and leaves it as clients do: with a word, without one, or in the middle of a message.
async fn come_and_go(user: &Client, number: usize) {
    use futures::{SinkExt, StreamExt};
    use tokio::io::AsyncWriteExt;
    use tokio_tungstenite::tungstenite::Message;
    let address = user.server.replacen("http", "ws", 1);
    let (mut socket, _) = connect_async(format!("{address}/ws?token={}", user.token)).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_text(), "the first frame says that it is open");
    match number % 3 {
        0 => {
            socket.send(Message::Close(None)).await.unwrap();
            let mut answered = false;
            while let Some(Ok(message)) = socket.next().await {
                answered |= message.is_close();
            }
            assert!(answered, "the Close frame is answered");
        }
        1 => drop(socket),
        _ => socket.get_mut().write_all(&[0x81]).await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_sockets_that_come_and_go_leave_nothing_behind() {
    // A few connections of clients and of the database come and go by themselves.
    const SLACK: f64 = 10.0;
    take_descriptors();
    let world = World::with(&[("ROUTIX_SOCKETS_PER_USER", "2000")], &["relay"]).await;
    let user = world.user().await;
    join_all((0..10).map(|number| come_and_go(&user, number))).await;
    let names = ["routix_connections", "routix_live_connections", "routix_tasks"];
    let read = || async {
        let mut values = Vec::new();
        for name in names {
            values.push(metric(&user, name).await);
        }
        values
    };
    let before = eventually("the service is at rest", || async {
        let values = read().await;
        (values[1] < 0.5).then_some((values, world.server.descriptors()))
    })
    .await;
    for _ in 0..SOCKETS / 250 {
        join_all((0..250).map(|number| come_and_go(&user, number))).await;
    }
    eventually("nothing is left of the sockets", || async {
        let now = read().await;
        let is_small = now.iter().zip(&before.0).all(|(now, before)| *now <= before + SLACK);
        let descriptors = world.server.descriptors();
        (is_small && descriptors <= before.1 + 10).then_some(())
    })
    .await;
}
