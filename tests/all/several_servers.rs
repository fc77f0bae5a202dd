//! Several processes on one log: none of them may answer from what it merely remembers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::support::client::Client;
use crate::support::socket::Socket;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_registrations_of_one_address_at_two_servers_make_one_account() {
    let world = World::start().await;
    let second = world.surroundings.start(&["serve"]).await;
    let servers = [world.server.address.clone(), second.address.clone()];
    let answers = join_all((0..50).map(|n: usize| {
        let client = Client::anonymous(&servers[n % 2], &world.told);
        let name = "grace.hopper@example.com";
        let email: String = name
            .char_indices()
            .map(|(at, letter)| if (n >> (at % 5)) & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect();
        async move {
            let login = json!({ "email": email, "password": "long enough", "username": "Grace" });
            client.post("/api/v1/auth/register", &login).await
        }
    }))
    .await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        answer.expect_problem(409, "taken");
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_at_one_server_is_seen_by_a_paid_command_at_the_other_at_once() {
    let world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "0")], &["all"]).await;
    let second = world.surroundings.start(&["serve"]).await;
    let admin = world.admin().await;
    let user = world.user().await;
    let there = user.at(&second.address);
    for round in 0..10 {
        let prompt = format!("round {round}");
        // The refusal leaves a state in the second server's memory that is about to be outdated.
        there.order(&prompt).await.expect_problem(402, "insufficient_credits");
        let path = format!("/api/v1/admin/users/{}/credits", user.user_id());
        admin.post(&path, &json!({ "amount": 2 })).await.expect(201);
        there.order(&prompt).await.expect(201);
    }
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_made_at_one_server_reaches_a_socket_at_the_other() {
    let world = World::start().await;
    let second = world.surroundings.start(&["serve"]).await;
    let user = world.user().await;
    let mut socket = Socket::open(&user.at(&second.address), None).await;
    let order = user.order("from here to there").await.expect(201);
    let done = socket.until(|frame| frame["type"] == "generation:completed").await;
    assert_eq!(done["payload"]["request_id"], order["id"]);
    // A session that ended here is over there too.
    assert_eq!(user.post("/api/v1/auth/logout", &json!({})).await.status, 204);
    socket.closed().await;
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_after_an_append_was_sent_never_doubles_an_effect() {
    let world = World::start().await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = tokio::spawn({
        let (pool, stop) = (world.pool.clone(), stop.clone());
        async move {
            let mut cut = 0_i64;
            // Often enough to hit appends in flight, seldom enough that some get through in between.
            let mut schedule = tokio::time::interval(Duration::from_millis(40));
            while !stop.load(Ordering::Relaxed) {
                schedule.tick().await;
                let ended: i64 = sqlx::query_scalar(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'routix' \
                       AND query LIKE '%append%'",
                )
                .fetch_one(&pool)
                .await
                .unwrap();
                cut += ended;
            }
            cut
        }
    });
    let mut said = 0;
    for round in 0..10 {
        let answers = join_all((0..20).map(|n| {
            let (user, chat) = (user.clone(), chat.clone());
            async move {
                let message = json!({ "type": "text", "content": format!("round {round} message {n}") });
                user.say(&chat, &message).await
            }
        }))
        .await;
        said += answers.iter().filter(|answer| answer.status == 201).count();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(cutter.await.unwrap() > 0, "connections were cut");
    assert!(said > 0);
    let path = format!("/api/v1/chat/conversations/{chat}/messages?limit=200");
    world.check(&[]).await;
    let list = user.get(&path).await.expect(200);
    let words: Vec<&str> = list["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "user")
        .map(|message| message["content"].as_str().unwrap())
        .collect();
    let mut distinct = words.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), words.len(), "no message was posted twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_opens_no_more_connections_than_its_setting_says() {
    const CONNECTIONS: i64 = 18;
    let world = World::with(&[("ROUTIX_DATABASE_CONNECTIONS", "18")], &[]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let requests = async {
        for round in 0..5 {
            join_all((0..100).map(|n| {
                let (user, chat, world) = (user.clone(), chat.clone(), &world);
                async move {
                    match n % 4 {
                        0 => {
                            let text = format!("round {round} message {n}");
                            user.say(&chat, &json!({ "type": "text", "content": text })).await.expect(201);
                        }
                        1 => drop(user.get("/api/v1/chat/conversations").await.expect(200)),
                        2 => drop(user.get("/api/v1/credits/transactions").await.expect(200)),
                        _ => drop(Client::register(&user.server, &world.told).await),
                    }
                }
            }))
            .await;
        }
    };
    let open = || async {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'routix'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        count
    };
    let mut most = 0;
    tokio::pin!(requests);
    loop {
        tokio::select! {
            () = &mut requests => break,
            open = open() => most = most.max(open),
        }
    }
    assert!((CONNECTIONS / 2..=CONNECTIONS).contains(&most), "{most} connections were open at a time");
    let metrics = String::from_utf8(world.anonymous().get("/metrics").await.bytes).unwrap();
    let share = |pool: &str| {
        let name = format!("routix_database_connections_max{{pool=\"{pool}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        line.parse::<i64>().unwrap()
    };
    let appender = 2;
    assert_eq!(share("general") + share("loads") + share("queries") + appender, CONNECTIONS);
    world.check(&[]).await;
}
