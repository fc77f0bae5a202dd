//! The outside view of a projection that is late, stands still, or waits for something to pass.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::user::User;
use event_log::{LogError, OpenedEvent};
use projections::runtime::{Progress, STALLED_AFTER, State, progress};
use projections::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, WorkerStatus};
use sqlx::PgConnection;

use crate::examples::register;
use crate::stack::{Stack, until};

const TABLE: &str = "CREATE TABLE arrivals (position bigint NOT NULL)";

const FINE: u8 = 0;
const AWAY: u8 = 1;
const POISONED: u8 = 2;
const HANGING: u8 = 3;

/// Counts who registered, in the mood that it is put in.
#[derive(Default)]
struct Arrivals {
    mood: AtomicU8,
    attempts: Mutex<Vec<Instant>>,
}

static ARRIVALS: Spec = Spec {
    name: "arrivals",
    reads: &[User::TYPE],
    ignored_events: &[],
    tables: &["arrivals"],
    poison: PoisonPolicy::Stop,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

#[async_trait]
impl Projection for Arrivals {
    fn spec(&self) -> &'static Spec {
        &ARRIVALS
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            self.count(tx, event).await?;
        }
        Ok(())
    }
}

impl Arrivals {
    async fn count(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        let position = event.recorded.position;
        sqlx::query("INSERT INTO arrivals (position) VALUES ($1)").bind(position).execute(&mut *tx).await?;
        self.attempts.lock().unwrap().push(Instant::now());
        match self.mood.load(Ordering::SeqCst) {
            AWAY => Err(ApplyError::Transient(LogError::OutcomeUnknown)),
            POISONED => Err(ApplyError::poison("it is not understood")),
            HANGING => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

async fn seen(stack: &Stack, stalled_after: Duration) -> Progress {
    let all = progress(&stack.log, stalled_after).await.unwrap();
    all.into_iter().find(|row| row.projection == "arrivals").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_errors_back_off_and_lose_nothing() {
    let mut stack = Stack::start().await;
    stack.execute(TABLE).await;
    let arrivals = Arc::new(Arrivals::default());
    arrivals.mood.store(AWAY, Ordering::SeqCst);
    register(&stack.log, "ada").await;
    let status = stack.work(arrivals.clone());
    until("it was tried some times", async || arrivals.attempts.lock().unwrap().len() >= 6).await;
    assert!(matches!(*status.borrow(), WorkerStatus::Waiting { .. } | WorkerStatus::Following { .. }));
    let attempts = arrivals.attempts.lock().unwrap().clone();
    let pause = |n: usize| attempts[n + 1] - attempts[n];
    assert!(pause(4) > pause(0) * 2, "{:?} after {:?}", pause(4), pause(0));
    assert_eq!(stack.count("SELECT position FROM checkpoints WHERE projection = 'arrivals'").await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM arrivals").await, 0);
    register(&stack.log, "bob").await;
    arrivals.mood.store(FINE, Ordering::SeqCst);
    stack.caught_up("arrivals").await;
    let missing = "SELECT (SELECT count(*) FROM events WHERE aggregate_type = 'user') \
         - (SELECT count(DISTINCT position) FROM arrivals)";
    assert_eq!(stack.count(missing).await, 0);
    assert_eq!(stack.count("SELECT count(*) - count(DISTINCT position) FROM arrivals").await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM parked_events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stands_still_is_told_from_one_that_is_behind() {
    let stack = Stack::start().await;
    stack
        .execute(
            "INSERT INTO checkpoints (projection, updated_at) VALUES ('arrivals', now() - interval '1 hour')",
        )
        .await;
    let idle = seen(&stack, Duration::ZERO).await;
    assert_eq!((idle.behind, idle.state), (0, State::Following), "an hour without events is no fault");
    register(&stack.log, "ada").await;
    let fresh = seen(&stack, STALLED_AFTER).await;
    assert!(
        fresh.behind > 0 && fresh.state != State::Stalled,
        "an event that has just come is no fault: {fresh:?}"
    );
    let patience = Duration::from_millis(1500);
    until("it is stalled", async || seen(&stack, patience).await.state == State::Stalled).await;
    assert!(seen(&stack, patience).await.seconds_behind >= 1.5);
    // The same events wait, but the checkpoint moves.
    stack.execute("UPDATE checkpoints SET updated_at = clock_timestamp()").await;
    assert_eq!(seen(&stack, patience).await.state, State::Behind);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_without_any_worker_is_seen_too() {
    let stack = Stack::start().await;
    register(&stack.log, "ada").await;
    let all = progress(&stack.log, Duration::ZERO).await.unwrap();
    assert_eq!(all.len(), projections::all().len());
    assert!(
        all.iter().all(|row| row.position == 0 && row.behind > 0 && row.state == State::Stalled),
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_where_and_why_a_projection_stopped_until_it_goes_on() {
    let mut stack = Stack::start().await;
    stack.execute(TABLE).await;
    let arrivals = Arc::new(Arrivals::default());
    stack.work(arrivals.clone());
    register(&stack.log, "ada").await;
    stack.caught_up("arrivals").await;
    arrivals.mood.store(POISONED, Ordering::SeqCst);
    let poison = stack.log.head().await.unwrap().next();
    register(&stack.log, "bob").await;
    until("it is stopped", async || seen(&stack, STALLED_AFTER).await.state == State::Stopped).await;
    let stopped = seen(&stack, STALLED_AFTER).await;
    let stop = stopped.stop.unwrap();
    assert_eq!((stopped.position, stop.position), (poison.previous(), poison));
    assert!(stop.reason.contains("it is not understood"));
    arrivals.mood.store(FINE, Ordering::SeqCst);
    stack.caught_up("arrivals").await;
    let now = seen(&stack, STALLED_AFTER).await;
    assert_eq!((now.state, now.stop), (State::Following, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hangs_in_a_transaction_does_not_keep_its_checkpoint_locked() {
    let mut stack = Stack::start().await;
    stack.execute(TABLE).await;
    let arrivals = Arc::new(Arrivals::default());
    arrivals.mood.store(HANGING, Ordering::SeqCst);
    stack.work(arrivals.clone());
    register(&stack.log, "ada").await;
    until("it hangs", async || !arrivals.attempts.lock().unwrap().is_empty()).await;
    let locked = "SELECT count(*) FROM (SELECT 1 FROM checkpoints WHERE projection = 'arrivals' FOR UPDATE SKIP LOCKED) AS free";
    assert_eq!(stack.count(locked).await, 0, "its transaction holds the row");
    until("the row is free for others", async || stack.count(locked).await == 1).await;
    assert_eq!(stack.count("SELECT count(*) FROM arrivals").await, 0);
}
