//! The case `hot-stream`: many writers on one aggregate. Whoever calls sees no conflict.

use commands::CommandError;
use domain::conversation::{Conversation, ConversationCommand};
use domain::{MessageId, MessageText};
use event_log::{EventLog, clock};
use serde_json::json;
use uuid::Uuid;

use crate::drive::{Measured, drive, median, middle};
use crate::effort::Effort;
use crate::peers::CqrsEs;
use crate::report::Report;
use crate::stack::{self, Stack};
use crate::writers::{context, start_command, writer_id};

const WRITERS: usize = 8;

/// A command with a single event; only the first also gives the chat its title.
fn say() -> ConversationCommand {
    ConversationCommand::PostText {
        message_id: MessageId(clock::new_id()),
        content: MessageText::parse("Which Routix version should draw it?").unwrap(),
        at: clock::now(),
    }
}

pub async fn run(effort: &Effort) -> Report {
    let stack = Stack::postgres().await;
    let log = stack::log(&stack.migrated().await).await;
    let mut report = Report::new("hot-stream");
    let short = begun(&log).await;
    measure(&log, short, 1.0).await;
    let peer = CqrsEs::connect(&stack.database().await).await;
    let chat = clock::new_id();
    assert!(peer.say(chat, start_command(chat, writer_id(0))).await);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        ours.push(measure(&log, short, effort.seconds).await);
        theirs.push(successes(&peer, chat, effort.seconds).await);
    }
    let ours = median(ours);
    let params = json!({ "writers": WRITERS });
    let peer = ("cqrs-es + postgres-es, without conflicts", middle(theirs));
    report.beside("throughput", ours.per_second(), "commands/s", params.clone(), peer);
    report.figure("p99", ours.percentile_ms(0.99), "ms", params);
    long_beside_short(&mut report, &log, short, effort).await;
    report
}

async fn begun(log: &EventLog) -> Uuid {
    let (id, owner) = (clock::new_id(), writer_id(0));
    let unit = log.unit::<CommandError>(context(log, owner, b"{}"));
    unit.create::<Conversation>(id, [start_command(id, owner)]).commit().await.unwrap();
    id
}

async fn measure_with(log: &EventLog, chat: Uuid, writers: usize, seconds: f64) -> Measured {
    drive(writers, seconds, |_| {
        let log = log.clone();
        move || {
            let log = log.clone();
            async move {
                // A conflict that reached the caller would end the measurement here.
                let unit = log.unit::<CommandError>(context(&log, writer_id(0), b"{}"));
                unit.execute::<Conversation>(chat, [say()]).commit().await.unwrap();
            }
        }
    })
    .await
}

async fn measure(log: &EventLog, chat: Uuid, seconds: f64) -> Measured {
    measure_with(log, chat, WRITERS, seconds).await
}

/// Commands of the peer that were not refused with a conflict, per second.
async fn successes(peer: &CqrsEs, chat: Uuid, seconds: f64) -> f64 {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let accepted = Arc::new(AtomicUsize::new(0));
    let run = drive(WRITERS, seconds, |_| {
        let (peer, accepted) = (peer.clone(), Arc::clone(&accepted));
        move || {
            let (peer, accepted) = (peer.clone(), Arc::clone(&accepted));
            async move {
                if peer.say(chat, say()).await {
                    accepted.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    })
    .await;
    crate::drive::as_f64(accepted.load(Ordering::Relaxed)) / crate::drive::as_f64(run.operations())
        * run.per_second()
}

/// The next command of a stream of more than 10,000 events beside that of one of ten.
async fn long_beside_short(report: &mut Report, log: &EventLog, long: Uuid, effort: &Effort) {
    while log.load::<Conversation>(long).await.unwrap().version < 10_000 {
        measure(log, long, 1.0).await;
    }
    let (mut longs, mut shorts) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        longs.push(cold(log, long, effort.seconds / 2.0).await);
        let short = begun(log).await;
        for _ in 0..9 {
            let unit = log.unit::<CommandError>(context(log, writer_id(0), b"{}"));
            unit.execute::<Conversation>(short, [say()]).commit().await.unwrap();
        }
        shorts.push(cold(log, short, effort.seconds / 2.0).await);
    }
    let (longs, shorts) = (median(longs), median(shorts));
    let peer = ("a stream of 10 events", shorts.percentile_ms(0.5));
    report.beside(
        "load of 10,000 events, p50",
        longs.percentile_ms(0.5),
        "ms",
        json!({ "cached": false }),
        peer,
    );
}

/// Loads a stream that is not in memory, again and again.
async fn cold(log: &EventLog, chat: Uuid, seconds: f64) -> Measured {
    drive(1, seconds, |_| {
        let log = log.clone();
        move || {
            let log = log.clone();
            async move {
                log.evict::<Conversation>(&chat.to_string());
                log.load::<Conversation>(chat).await.unwrap();
            }
        }
    })
    .await
}
