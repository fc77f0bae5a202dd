//! What Prometheus reads agrees with what was done.

use std::collections::BTreeMap;

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

/// Every sample by its name and labels, as they are written.
async fn scrape(client: &Client) -> BTreeMap<String, f64> {
    let answer = client.get("/metrics").await;
    assert_eq!((answer.status.as_u16(), answer.content_type.starts_with("text/plain")), (200, true));
    let text = String::from_utf8(answer.bytes).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

/// The sum of the samples of a metric whose labels hold all of these.
fn sum(samples: &BTreeMap<String, f64>, metric: &str, labels: &[&str]) -> f64 {
    samples
        .iter()
        .filter(|(name, _)| name.split('{').next() == Some(metric))
        .filter(|(name, _)| labels.iter().all(|label| name.contains(label)))
        .map(|(_, value)| value)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_agree_with_what_the_run_did() {
    let mut world = World::with(&[], &[]).await;
    // One process does everything, so its counters are all there are.
    world.server.kill().await;
    world.server = world.surroundings.start(&["up"]).await;
    let user = world.user().await;
    let sockets = [Socket::open(&user, None).await, Socket::open(&user, None).await];
    for number in 0..3 {
        let order = user.order(&format!("Epic battle number {number}")).await.expect(201);
        assert_eq!(user.finished(order["id"].as_str().unwrap()).await["status"], "completed");
    }
    let cancelled = user.post("/api/v1/generation/no-such-id/cancel", &serde_json::Value::Null).await;
    assert_eq!(cancelled.status.as_u16(), 400);

    let samples = eventually("read models and stream have everything", || async {
        let samples = scrape(&user).await;
        let behind = sum(&samples, "routix_projection_lag_events", &[])
            + sum(&samples, "routix_relay_lag_events", &[]);
        (samples.contains_key("routix_relay_lag_events") && behind < 0.5).then_some(samples)
    })
    .await;
    let is = |metric, labels: &[&str], value: f64| {
        let seen = sum(&samples, metric, labels);
        assert!((seen - value).abs() < 0.5, "{metric} {labels:?} is {seen}, not {value}");
    };
    is("generation_requests_total", &[], 3.0);
    is("generation_requests_total", &["status=\"completed\"", "algorithm="], 3.0);
    is("generation_duration_seconds_count", &[], 3.0);
    assert!(sum(&samples, "generation_duration_seconds_sum", &[]) > 0.0);
    assert!(sum(&samples, "template_searches_total", &[]) >= 3.0);
    is("active_users", &[], 1.0);
    is("routix_live_connections", &[], 2.0);
    let create = "endpoint=\"/api/v1/generation/create\"";
    is("api_requests_total", &[create, "method=\"POST\"", "status=\"201\""], 3.0);
    is("api_request_duration_seconds_count", &[create], 3.0);
    let unknown = "endpoint=\"/api/v1/generation/{id}/cancel\"";
    is("api_requests_total", &[unknown, "status=\"400\""], 1.0);
    assert!(!samples.keys().any(|name| name.contains("no-such-id")), "paths are no labels");
    for projection in projections::all() {
        let label = format!("projection=\"{}\"", projection.name());
        assert!(samples.keys().any(|name| name.contains(&label)), "{label} is missing");
    }
    // The log may have grown since it was scraped, but not shrunk.
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&world.pool).await.unwrap();
    let position = sum(&samples, "routix_log_position", &[]);
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let events = events as f64;
    assert!(position > 0.0 && position <= events, "position {position} of {events}");
    let appended = sum(&samples, "routix_events_appended_total", &[]);
    assert!(appended > 0.0 && appended <= events, "{appended} of {events} events are this process's");
    is("routix_append_queue_depth", &[], 0.0);
    assert!(sum(&samples, "routix_append_batch_units_count", &[]) > 0.0);
    assert!(sum(&samples, "routix_append_batch_seconds_count", &[]) > 0.0);
    drop(sockets);
    eventually("closed sockets are no connections", || async {
        (sum(&scrape(&user).await, "routix_live_connections", &[]) < 0.5).then_some(())
    })
    .await;
    world.check(&[]).await;
}
