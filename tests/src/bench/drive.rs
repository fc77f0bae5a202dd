//! Runs a load and keeps every latency.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

/// What a load saw.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Microseconds, sorted.
    latencies_us: Vec<u64>,
    elapsed: Duration,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        as_f64(self.latencies_us.len()) / self.elapsed.as_secs_f64()
    }

    /// The latency below which a share of all operations stayed, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        percentile(&self.latencies_us, share) / 1000.0
    }

    pub fn operations(&self) -> usize {
        self.latencies_us.len()
    }
}

/// The value below which a share of the sorted values lies.
pub fn percentile(sorted: &[u64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index within the values")]
    let index = (as_f64(sorted.len() - 1) * share).round() as usize;
    as_f64(usize::try_from(sorted[index]).unwrap_or(usize::MAX))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Lets `workers` repeat an operation until the time is over. `worker` makes the operation of one of them.
pub async fn drive<W, F>(workers: usize, seconds: f64, mut worker: impl FnMut(usize) -> W) -> Measured
where
    W: FnMut() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(seconds);
    let mut running = JoinSet::new();
    for index in 0..workers {
        let mut operation = worker(index);
        running.spawn(async move {
            let mut seen = Vec::with_capacity(1 << 14);
            loop {
                let begun = Instant::now();
                if begun >= end {
                    return seen;
                }
                operation().await;
                seen.push(micros(begun.elapsed()));
            }
        });
    }
    let mut latencies_us = Vec::new();
    while let Some(seen) = running.join_next().await {
        latencies_us.extend(seen.unwrap());
    }
    let elapsed = start.elapsed();
    latencies_us.sort_unstable();
    Measured { latencies_us, elapsed }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The value in the middle.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The run in the middle, by throughput.
pub fn median(mut runs: Vec<Measured>) -> Measured {
    runs.sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
    runs.swap_remove(runs.len() / 2)
}
