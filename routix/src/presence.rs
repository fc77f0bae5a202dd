//! A process says in the database which parts of the background work it runs, and warns where nobody runs one.

use std::time::Duration;

use event_log::{EventLog, presence};
use uuid::Uuid;

const RENEW_EVERY: Duration = Duration::from_secs(3);
/// Longer than a pause of the database that is no fault, shorter than an operator's patience.
const LIFE: Duration = Duration::from_secs(10);
/// The parts that start together with this process have come by then, and those of processes that died are gone.
const GRACE: Duration = Duration::from_secs(12);

/// Says again and again that a process runs these parts.
pub async fn keep(log: EventLog, process: Uuid, parts: Vec<&'static str>) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = presence::announce(log.pool(), process, &parts, LIFE).await {
            tracing::debug!(%error, "it could not be said which parts run here");
        }
    }
}

/// Warns once, a while after the start, of the parts that nobody runs.
pub async fn warn(log: EventLog) {
    tokio::time::sleep(GRACE).await;
    match api::unattended(&log).await {
        Ok(parts) if !parts.is_empty() => {
            let parts = parts.join(",");
            tracing::warn!(parts, "nobody runs these parts: start `routix work --role {parts}`");
        }
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "it is not known which parts run"),
    }
    std::future::pending::<()>().await;
}
