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

/// An address that was free a moment ago.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn is(samples: &BTreeMap<String, f64>, metric: &str, labels: &[&str], value: f64) {
    let seen = sum(samples, metric, labels);
    assert!((seen - value).abs() < 0.5, "{metric} {labels:?} is {seen}, not {value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_agree_with_what_the_run_did() {
    let address = free_address();
    let world = World::with(&[("ROUTIX_METRICS_LISTEN", &address)], &["all"]).await;
    let user = world.user().await;
    let worker = user.at(&format!("http://{address}"));
    let sockets = [Socket::open(&user, None).await, Socket::open(&user, None).await];
    for number in 0..3 {
        let order = user.order(&format!("Epic battle number {number}")).await.expect(201);
        assert_eq!(user.finished(order["id"].as_str().unwrap()).await["status"], "completed");
    }
    let cancelled = user.post("/api/v1/generation/no-such-id/cancel", &serde_json::Value::Null).await;
    assert_eq!(cancelled.status.as_u16(), 400);

    let served = eventually("read models and stream have everything", || async {
        let samples = scrape(&user).await;
        let behind = sum(&samples, "routix_projection_lag_events", &[])
            + sum(&samples, "routix_relay_lag_events", &[])
            + sum(&samples, "routix_work_due", &[]);
        (samples.contains_key("routix_relay_lag_events") && behind < 0.5).then_some(samples)
    })
    .await;
    let worked = scrape(&worker).await;
    what_the_server_did(&served);
    what_the_worker_did(&worked);
    // Every event was appended by one of the two, and published by the one relay.
    let position = sum(&served, "routix_log_position", &[]);
    let appended = |samples| sum(samples, "routix_events_appended_total", &[]);
    assert!((appended(&served) + appended(&worked) - position).abs() < 0.5);
    is(&worked, "routix_relay_published_total", &[], position);
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&world.pool).await.unwrap();
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let events = events as f64;
    assert!((position - events).abs() < 0.5, "position {position} of {events}");
    drop(sockets);
    eventually("closed sockets are no connections", || async {
        (sum(&scrape(&user).await, "routix_live_connections", &[]) < 0.5).then_some(())
    })
    .await;
    world.check(&[]).await;
}

fn what_the_server_did(samples: &BTreeMap<String, f64>) {
    is(samples, "active_users", &[], 1.0);
    is(samples, "routix_live_connections", &[], 2.0);
    let create = "endpoint=\"/api/v1/generation/create\"";
    is(samples, "api_requests_total", &[create, "method=\"POST\"", "status=\"201\""], 3.0);
    is(samples, "api_request_duration_seconds_count", &[create], 3.0);
    let refused = "/cancel\"";
    is(samples, "api_requests_total", &[refused, "status=\"400\""], 1.0);
    assert!(!samples.keys().any(|name| name.contains("no-such-id")), "paths are no labels");
    for projection in projections::all() {
        let label = format!("projection=\"{}\"", projection.spec().name);
        assert!(samples.keys().any(|name| name.contains(&label)), "{label} is missing");
    }
    for role in ["assistant", "generation", "analysis", "timers", "cleanup"] {
        for rows in ["due", "later", "parked"] {
            let queue = format!("routix_work_{rows}{{role=\"{role}\"}}");
            assert!(samples.contains_key(&queue), "{queue} is missing");
        }
    }
    is(samples, "routix_append_queue_depth", &[], 0.0);
    assert!(sum(samples, "routix_append_batch_units_count", &[]) > 0.0);
    assert!(sum(samples, "routix_append_batch_seconds_count", &[]) > 0.0);
}

fn what_the_worker_did(samples: &BTreeMap<String, f64>) {
    is(samples, "generation_requests_total", &[], 3.0);
    is(samples, "generation_requests_total", &["status=\"completed\"", "algorithm="], 3.0);
    is(samples, "generation_duration_seconds_count", &[], 3.0);
    assert!(sum(samples, "generation_duration_seconds_sum", &[]) > 0.0);
    assert!(sum(samples, "template_searches_total", &[]) >= 3.0);
    assert!(sum(samples, "routix_projection_applied_total", &["projection=\"generations\""]) > 0.0);
}
