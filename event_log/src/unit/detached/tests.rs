//! Callers that go away, and work that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Detached;

#[tokio::test]
async fn what_its_caller_drops_half_way_goes_on() {
    let (go, wait) = oneshot::channel::<()>();
    let (done, seen) = oneshot::channel();
    let work = Detached::new(async move {
        let _ = wait.await;
        let _ = done.send("done");
    });
    assert!(timeout(Duration::from_millis(1), work).await.is_err());
    go.send(()).unwrap();
    assert_eq!(seen.await.unwrap(), "done");
}

#[tokio::test]
async fn what_ended_or_panicked_is_not_run_again() {
    let runs = Arc::new(AtomicUsize::new(0));
    for panics in [false, true] {
        let runs = Arc::clone(&runs);
        let work = Detached::new(async move {
            runs.fetch_add(1, Ordering::Relaxed);
            assert!(!panics, "at once");
        });
        assert_eq!(work.await.is_err(), panics);
    }
    tokio::task::yield_now().await;
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}
