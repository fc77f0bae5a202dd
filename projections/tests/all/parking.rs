//! Parked events beyond their first hour: a retry in vain, a restart while something is parked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::conversation::{Conversation, ConversationCommand};
use domain::{ConversationId, UserId};
use projections::PoisonPolicy;
use projections::runtime::{ParkedEvent, parked, request_retry};

use crate::examples::{at, register, say, start_chat, tell};
use crate::runtime::{TALLY, Tally};
use crate::stack::{Stack, until};

/// A chat whose messages are not understood, and the projection that does not understand them.
struct Scene {
    stack: Stack,
    ada: UserId,
    bad: ConversationId,
    tally: Arc<Tally>,
    refuses: Arc<AtomicBool>,
}

impl Scene {
    async fn new() -> Self {
        let stack = Stack::start().await;
        stack.execute(TALLY).await;
        let ada = register(&stack.log, "ada").await;
        let bad = start_chat(&stack.log, ada, "bad").await;
        say(&stack.log, ada, bad, "boo").await;
        let tally = Tally::new(PoisonPolicy::Park, Some(bad.0));
        let refuses = tally.refuses.clone();
        Self { stack, ada, bad, tally: Arc::new(tally), refuses }
    }

    async fn parked(&self) -> Vec<ParkedEvent> {
        parked(self.stack.log.pool(), 100).await.unwrap()
    }

    /// Asks for a retry and waits until there was one. The worker takes the wish off the events that it tries.
    async fn tried_again(&self) {
        let asked = request_retry(self.stack.log.pool(), "tally").await.unwrap();
        assert!(asked > 0, "something is parked");
        until("the worker tried again", async || {
            self.parked().await.iter().all(|event| event.retry_requested_at.is_none())
        })
        .await;
    }

    /// Something happens in the chat that could be applied if nothing of the chat were parked.
    async fn archive(&self) {
        let archive = ConversationCommand::Archive { at: at(50) };
        let position = tell::<Conversation>(&self.stack.log, Some(self.ada), self.bad.0, [archive]).await;
        self.stack.caught_up("tally").await;
        let last = self.parked().await.pop().unwrap();
        assert_eq!(last.position, position, "it is parked too, or it would come before what is parked");
        assert_eq!(last.reason, "an earlier event is parked");
    }

    /// The number of events that are neither applied nor parked, and of those that are applied twice.
    async fn missing_and_doubled(&self) -> (i64, i64) {
        let missing = "SELECT (SELECT count(*) FROM events WHERE aggregate_type = 'conversation') \
             - (SELECT count(*) FROM tally) - (SELECT count(*) FROM parked_events)";
        let doubled = "SELECT count(*) - count(DISTINCT position) FROM tally";
        (self.stack.count(missing).await, self.stack.count(doubled).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_tried_again_in_vain_stay_parked() {
    let mut scene = Scene::new().await;
    scene.stack.work(scene.tally.clone());
    scene.stack.caught_up("tally").await;
    let before = scene.parked().await;
    assert!(before.len() > 1, "the poison event, and what came with it");
    for _ in 0..2 {
        scene.tried_again().await;
        assert_eq!(scene.parked().await, before);
    }
    scene.archive().await;
    assert_eq!(scene.missing_and_doubled().await, (0, 0));
    scene.refuses.store(false, Ordering::SeqCst);
    scene.tried_again().await;
    until("nothing is parked", async || scene.parked().await.is_empty()).await;
    assert_eq!(scene.missing_and_doubled().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_knows_what_is_parked() {
    let mut scene = Scene::new().await;
    let (first, _) = scene.stack.work_for_a_while(scene.tally.clone());
    scene.stack.caught_up("tally").await;
    let before = scene.parked().await;
    first.abort();
    // The lease of the dead worker is free at once.
    scene.stack.execute("UPDATE leases SET held_until = '-infinity' WHERE name = 'projection:tally'").await;
    scene.stack.work(scene.tally.clone());
    scene.archive().await;
    assert_eq!(scene.parked().await.len(), before.len() + 1);
    assert_eq!(scene.missing_and_doubled().await, (0, 0));
}
