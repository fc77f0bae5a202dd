//! Counters and histograms of this process, kept for whoever scrapes them.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Samples are folded into their buckets so often when nobody scrapes: they must not pile up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Seconds, from a fast query to a slow drawing.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
const UNITS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts to count, before anything that counts is made. A program that is run twice in one process counts on.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_units".to_owned()), &UNITS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Folds samples now and then. Runs until the task is dropped.
pub async fn upkeep() {
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        if let Some(handle) = HANDLE.get() {
            handle.run_upkeep();
        }
    }
}
