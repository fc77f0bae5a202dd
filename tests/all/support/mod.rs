//! What tests share: the servers, the program's processes, a client, the checker.

pub mod audit;
pub mod checker;
pub mod client;
pub mod cluster;
pub mod collector;
pub mod picture;
pub mod process;
pub mod raw;
pub mod servers;
pub mod socket;
pub mod told;
pub mod world;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` gives something.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, condition: impl FnMut() -> F) -> T {
    eventually_within(PATIENCE, what, condition).await
}

/// Waits until `condition` gives something, for as long as `patience` says.
pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    patience: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "it never happened: {what}");
        // A pause between looks, not a wait for a time to pass: the condition decides.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
