//! The case `rebuild`: the conversation read model from a log of 500,000 events, built beside the live one, compared
//! and swapped. Beside it the live worker that catches up from the beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commands::CommandError;
use domain::conversation::{Conversation, ConversationCommand};
use domain::{MessageId, MessageText};
use event_log::{EventLog, checkpoints, clock};
use nats::{Bus, BusOptions, Feed};
use projections::conversations::Conversations;
use projections::runtime::{RebuildOptions, rebuild};
use projections::{Projection, Worker};
use serde_json::json;
use tokio::time::Instant;

use crate::drive::{as_f64, drive, middle};
use crate::effort::Effort;
use crate::report::Report;
use crate::stack::{self, Stack};
use crate::writers::{context, start_command, writer_id};

const EVENTS: i64 = 500_000;
const EVENTS_PER_CHAT: usize = 100;
const WRITERS: usize = 64;

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("rebuild");
    let stack = Stack::with_nats().await;
    let log = stack::log(&stack.migrated().await).await;
    fill(&log).await;
    let bus = Bus::connect(&stack.nats.as_ref().unwrap().url(), BusOptions::default()).await.unwrap();
    let head = log.head().await.unwrap();
    let live = live(&log, &bus, head.get()).await;
    let mut rates = Vec::new();
    for _ in 0..effort.rounds {
        let begun = Instant::now();
        let rebuilt = rebuild(&log, &Conversations, RebuildOptions::default(), &|_| {}).await.unwrap();
        assert_eq!((rebuilt.position, rebuilt.parked), (head, 0));
        rates.push(per_second(head.get(), begun.elapsed()));
    }
    let params = json!({ "events": head, "projection": "conversations" });
    report.beside("rebuild", middle(rates), "events/s", params, ("live worker", live));
    report
}

fn per_second(events: i64, time: Duration) -> f64 {
    as_f64(usize::try_from(events).unwrap()) / time.as_secs_f64()
}

/// Chats of a hundred events each, with words of a usual length.
async fn fill(log: &EventLog) {
    let next = Arc::new(AtomicU64::new(0));
    let chats = u64::try_from(EVENTS).unwrap() / EVENTS_PER_CHAT as u64;
    while next.load(Ordering::Relaxed) < chats {
        drive(WRITERS, 1.0, |index| {
            let (log, next) = (log.clone(), Arc::clone(&next));
            move || {
                let (log, next) = (log.clone(), Arc::clone(&next));
                async move {
                    if next.fetch_add(1, Ordering::Relaxed) >= chats {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        return;
                    }
                    let (id, owner) = (clock::new_id(), writer_id(index));
                    // The first message gives the chat its title, in an event of its own.
                    let says = (2..EVENTS_PER_CHAT).map(|n| ConversationCommand::PostText {
                        message_id: MessageId(clock::new_id()),
                        content: MessageText::parse(&format!(
                            "Message {n}: a gaming thumbnail with explosions and a big yellow title, please"
                        ))
                        .unwrap(),
                        at: clock::now(),
                    });
                    let commands = std::iter::once(start_command(id, owner)).chain(says);
                    let unit = log.unit::<CommandError>(context(&log, owner, b"{}"));
                    unit.create::<Conversation>(id, commands).commit().await.unwrap();
                }
            }
        })
        .await;
    }
}

/// Events per second of the worker, from the beginning of the log to its head.
async fn live(log: &EventLog, bus: &Bus, head: i64) -> f64 {
    let begun = Instant::now();
    let feed = Feed::start(log.clone(), bus.clone());
    let worker = Worker::new(log.clone(), bus.clone(), feed, Arc::new(Conversations));
    let task = tokio::spawn(worker.run());
    while checkpoints::position(log.pool(), Conversations.spec().name).await.unwrap() < head {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let time = begun.elapsed();
    task.abort();
    per_second(head, time)
}
