//! A NATS cluster that loses the server which leads the stream, under load.

use futures::future::join_all;
use serde_json::json;

use crate::support::checker::jetstream;
use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::eventually;
use crate::support::world::World;

/// The server that leads the stream.
async fn leader_of(urls: &str) -> String {
    let context = jetstream(urls).await;
    eventually("the stream has a leader", || async {
        let stream = context.get_stream("ROUTIX_EVENTS").await.ok()?;
        stream.cached_info().cluster.clone()?.leader
    })
    .await
}

async fn talk(user: &Client, chat: &str, round: usize) {
    let talk = (0..40).map(|n| {
        let (user, chat) = (user.clone(), chat.to_owned());
        async move {
            let message = json!({ "type": "text", "content": format!("round {round} message {n}") });
            user.say(&chat, &message).await.expect(201)
        }
    });
    join_all(talk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_stream_leader_is_killed_under_load_loses_nothing() {
    let mut cluster = Cluster::start().await;
    let urls = cluster.urls();
    let world = World::on_cluster(&cluster, &["all"]).await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    let stream = jetstream(&urls).await;
    let replicas = eventually("the stream is there", || async {
        let stream = stream.get_stream("ROUTIX_EVENTS").await.ok()?;
        Some(stream.cached_info().config.num_replicas)
    })
    .await;
    assert_eq!(replicas, 3);
    for round in 0..3 {
        talk(&user, &chat, round).await;
        let leader = leader_of(&urls).await;
        // A burst is on its way while the leader dies.
        tokio::join!(talk(&user, &chat, round + 10), cluster.kill(&leader));
        talk(&user, &chat, round + 20).await;
        cluster.start_again(&leader);
        eventually("all three servers hold the stream again", || async {
            let stream = jetstream(&urls).await.get_stream("ROUTIX_EVENTS").await.ok()?;
            let followers = stream.cached_info().cluster.clone()?.replicas;
            (followers.len() == 2 && followers.iter().all(|replica| replica.current)).then_some(())
        })
        .await;
    }
    // Tickets are kept on all three as well.
    let ticket = user.post("/api/v1/auth/ticket", &json!({})).await.expect(201);
    assert!(ticket["ticket"].is_string());
    let bucket = stream.get_stream("KV_ROUTIX_TICKETS").await.unwrap();
    assert_eq!(bucket.cached_info().config.num_replicas, 3);
    world.check(&[]).await;
    let (sound, printed) = world.routix(&["log", "verify"]).await;
    assert!(sound && printed.contains("all equal"), "{printed}");
}
