//! Workers: exactly once, poison events, rebuilding.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::conversation::Conversation;
use event_log::OpenedEvent;
use projections::runtime::{parked, request_retry};
use projections::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, WorkerStatus};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::examples::{register, say, start_chat};
use crate::stack::{Stack, until};

/// Notes each event of a chat, and refuses some of them for as long as it is told to.
pub struct Tally {
    policy: PoisonPolicy,
    /// The chat whose messages it does not understand.
    refused: Option<Uuid>,
    pub refuses: Arc<AtomicBool>,
}

impl Tally {
    pub fn new(policy: PoisonPolicy, refused: Option<Uuid>) -> Self {
        Self { policy, refused, refuses: Arc::new(AtomicBool::new(true)) }
    }
}

pub const TALLY: &str = "CREATE TABLE tally (position bigint NOT NULL, chat uuid NOT NULL)";

static PARKS: Spec = Spec {
    name: "tally",
    reads: &[Conversation::TYPE],
    ignored_events: &[],
    tables: &["tally"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};
static STOPS: Spec = Spec { poison: PoisonPolicy::Stop, ..PARKS };

#[async_trait]
impl Projection for Tally {
    fn spec(&self) -> &'static Spec {
        match self.policy {
            PoisonPolicy::Stop => &STOPS,
            PoisonPolicy::Park => &PARKS,
        }
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            self.note(tx, event).await?;
        }
        Ok(())
    }
}

impl Tally {
    async fn note(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        let chat: Uuid = event.recorded.aggregate_id.parse().unwrap();
        sqlx::query("INSERT INTO tally (position, chat) VALUES ($1, $2)")
            .bind(event.recorded.position)
            .bind(chat)
            .execute(tx)
            .await?;
        let poison = event.recorded.event_type == "MessagePosted" && self.refused == Some(chat);
        if poison && self.refuses.load(Ordering::SeqCst) {
            return Err(ApplyError::poison("it is not understood"));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_is_parked_with_the_later_ones_of_its_aggregate_until_it_is_understood() {
    let mut stack = Stack::start().await;
    stack.execute(TALLY).await;
    let ada = register(&stack.log, "ada").await;
    let good = start_chat(&stack.log, ada, "good").await;
    let bad = start_chat(&stack.log, ada, "bad").await;
    let poison = stack.log.head().await.unwrap().next();
    say(&stack.log, ada, bad, "boo").await;
    say(&stack.log, ada, good, "hello").await;
    let tally = Tally::new(PoisonPolicy::Park, Some(bad.0));
    let refuses = tally.refuses.clone();
    let status = stack.work(Arc::new(tally));
    stack.caught_up("tally").await;
    // A later event of the same aggregate comes in after the page that held the poison one.
    say(&stack.log, ada, bad, "boo again").await;
    say(&stack.log, ada, good, "hello again").await;
    stack.caught_up("tally").await;

    let set_aside = parked(stack.log.pool(), 100).await.unwrap();
    assert_eq!(set_aside[0].position, poison);
    assert!(set_aside[0].reason.contains("it is not understood"));
    assert!(set_aside[1..].iter().all(|event| event.reason.contains("an earlier event is parked")));
    let of_bad = format!("SELECT count(*) FROM events WHERE aggregate_id = '{bad}'");
    let all_of_bad = stack.count(&of_bad).await;
    assert_eq!(i64::try_from(set_aside.len()).unwrap(), all_of_bad - 1, "all but the start of the chat");
    let complete = "SELECT (SELECT count(*) FROM events WHERE aggregate_type = 'conversation') \
         - (SELECT count(*) FROM tally) - (SELECT count(*) FROM parked_events)";
    assert_eq!(stack.count(complete).await, 0, "each event is applied or parked, none is skipped");
    assert!(matches!(*status.borrow(), WorkerStatus::Following { .. }));

    refuses.store(false, Ordering::SeqCst);
    assert_eq!(
        request_retry(stack.log.pool(), "tally").await.unwrap(),
        u64::try_from(all_of_bad - 1).unwrap()
    );
    until("the parked events are applied", async || parked(stack.log.pool(), 1).await.unwrap().is_empty())
        .await;
    assert_eq!(stack.count(complete).await, 0);
    say(&stack.log, ada, bad, "welcome back").await;
    stack.caught_up("tally").await;
    assert_eq!(stack.count(complete).await, 0);
    let twice = "SELECT count(*) - count(DISTINCT position) FROM tally";
    assert_eq!(stack.count(twice).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_stops_a_projection_of_money_right_before_it() {
    let mut stack = Stack::start().await;
    stack.execute(TALLY).await;
    let ada = register(&stack.log, "ada").await;
    let bad = start_chat(&stack.log, ada, "bad").await;
    let poison = stack.log.head().await.unwrap().next();
    say(&stack.log, ada, bad, "boo").await;
    start_chat(&stack.log, ada, "later").await;
    let mut status = stack.work(Arc::new(Tally::new(PoisonPolicy::Stop, Some(bad.0))));
    let stopped = status.wait_for(|status| matches!(status, WorkerStatus::Stopped { .. }));
    let stopped = tokio::time::timeout(Duration::from_secs(20), stopped).await.unwrap().unwrap().clone();
    let reason = "it is not understood".to_owned();
    assert_eq!(stopped, WorkerStatus::Stopped { position: poison, reason });
    assert_eq!(
        stack.count("SELECT position FROM checkpoints WHERE projection = 'tally'").await,
        poison.previous().get()
    );
    assert_eq!(stack.count("SELECT count(*) FROM tally").await, 1, "what came before is kept");
    assert_eq!(stack.count("SELECT count(*) FROM parked_events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_take_the_lease_from_each_other_apply_each_event_once() {
    let mut stack = Stack::start().await;
    stack.execute(TALLY).await;
    let ada = register(&stack.log, "ada").await;
    for _ in 0..3 {
        stack.work(Arc::new(Tally::new(PoisonPolicy::Park, None)));
    }
    let pool = stack.log.pool().clone();
    let thief = tokio::spawn(async move {
        loop {
            // The lease ends while its holder works; whoever asks next gets it.
            sqlx::query("UPDATE leases SET held_until = clock_timestamp() - interval '1 second'")
                .execute(&pool)
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let chat = start_chat(&stack.log, ada, "busy").await;
    let epochs = "SELECT max(epoch) FROM leases WHERE name = 'projection:tally'";
    while stack.count("SELECT coalesce(max(epoch), 0) FROM leases WHERE name = 'projection:tally'").await < 4
    {
        say(&stack.log, ada, chat, "go on").await;
    }
    stack.caught_up("tally").await;
    thief.abort();
    assert!(stack.count(epochs).await >= 4, "the lease changed hands");
    let missing = "SELECT count(*) FROM events AS e WHERE e.aggregate_type = 'conversation' \
         AND (SELECT count(*) FROM tally AS t WHERE t.position = e.position) <> 1";
    assert_eq!(stack.count(missing).await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM parked_events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_go_on_while_the_broker_is_away_and_after() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(projections::accounts::Accounts));
    register(&stack.log, "ada").await;
    stack.caught_up("accounts").await;
    stack.stop_broker().await;
    register(&stack.log, "bob").await;
    stack.caught_up("accounts").await;
    stack.restart_broker().await;
    register(&stack.log, "cyd").await;
    stack.caught_up("accounts").await;
    assert_eq!(stack.count("SELECT count(*) FROM users").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_checkpoint_vanished_with_a_restore_is_not_stuck_until_the_next_event() {
    let mut stack = Stack::start().await;
    stack.execute(TALLY).await;
    let user = register(&stack.log, "ada").await;
    start_chat(&stack.log, user, "chat").await;
    stack.work(Arc::new(Tally::new(PoisonPolicy::Stop, None)));
    stack.caught_up("tally").await;
    let rows = stack.rows("tally").await;
    // A backup from before the projection ran is put back; the lease goes on as if nothing had happened.
    stack
        .execute("BEGIN; DELETE FROM tally; DELETE FROM checkpoints WHERE projection = 'tally'; COMMIT")
        .await;
    stack.caught_up("tally").await;
    until("the rows are there again", async || stack.rows("tally").await == rows).await;
}
