//! The cases `append` and `append-under-long-read`: one event per command, each to a stream of its own, with
//! receipt, sealing and chain. Beside it prepared single INSERTs of equal rows, and cqrs-es with postgres-es.

use std::time::Duration;

use event_log::EventLog;
use futures::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::drive::{Measured, median, middle};
use crate::effort::Effort;
use crate::peers::{CqrsEs, RawInserts};
use crate::report::Report;
use crate::stack::{self, Stack};
use crate::writers::{self, Progress, WriterProcess};

const RAW: &str = "single INSERTs";
const CQRS: &str = "cqrs-es + postgres-es";
const WARM_UP_SECONDS: f64 = 1.0;
/// The width at which cqrs-es is measured too.
const CQRS_WRITERS: usize = 32;

pub async fn run(effort: &Effort) -> Report {
    let stack = Stack::postgres().await;
    let url = stack.migrated().await;
    let log = stack::log(&url).await;
    let mut report = Report::new("append");
    writers::measure(&log, 32, WARM_UP_SECONDS).await;
    RawInserts::prepare(&url).await;

    let cqrs = CqrsEs::connect(&stack.database().await).await;
    let mut runs = Vec::new();
    for &width in &effort.writers {
        let cqrs = (width == CQRS_WRITERS).then_some(&cqrs);
        runs.push((width, in_turn(&log, &url, width, cqrs, effort).await));
    }
    let best = runs.iter().map(|(_, run)| run.inserts.per_second()).fold(0.0, f64::max);
    for (width, Run { ours, inserts, cqrs }) in &runs {
        let params = json!({ "writers": width });
        let mut throughput = |peer: &'static str, per_second: f64| {
            let (unit, params) = ("commands/s", params.clone());
            report.beside("throughput", ours.per_second(), unit, params, (peer, per_second));
        };
        throughput(RAW, inserts.per_second());
        if *width >= 512 {
            throughput("single INSERTs, best width", best);
        }
        if let Some(cqrs) = cqrs {
            throughput(CQRS, cqrs.per_second());
        }
        for (metric, share) in [("p50", 0.5), ("p99", 0.99)] {
            let peer = (RAW, inserts.percentile_ms(share));
            report.beside(metric, ours.percentile_ms(share), "ms", params.clone(), peer);
        }
    }
    processes(&mut report, &stack, effort).await;
    dense(&log).await;
    report
}

/// What one width gave.
struct Run {
    ours: Measured,
    inserts: Measured,
    cqrs: Option<Measured>,
}

/// All in turn, so that whatever else the machine does falls on all.
async fn in_turn(log: &EventLog, url: &str, width: usize, cqrs: Option<&CqrsEs>, effort: &Effort) -> Run {
    let head = log.head().await.unwrap();
    let like = log.page(head.previous(), 1).await.unwrap().pop().unwrap();
    let inserts = RawInserts::connect(url, width, like).await;
    inserts.measure(WARM_UP_SECONDS).await;
    if let Some(cqrs) = cqrs {
        cqrs.measure(width, WARM_UP_SECONDS).await;
    }
    writers::measure(log, width, WARM_UP_SECONDS).await;
    let (mut ours, mut of_inserts, mut of_cqrs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        ours.push(writers::measure(log, width, effort.seconds).await);
        of_inserts.push(inserts.measure(effort.seconds).await);
        if let Some(cqrs) = cqrs {
            of_cqrs.push(cqrs.measure(width, effort.seconds).await);
        }
    }
    Run { ours: median(ours), inserts: median(of_inserts), cqrs: cqrs.map(|_| median(of_cqrs)) }
}

/// Three processes in turn with one that has as many writers as they; then one of them is paused, and killed.
async fn processes(report: &mut Report, stack: &Stack, effort: &Effort) {
    const WRITERS: usize = 126;
    let url = stack.migrated().await;
    let mut alone = [WriterProcess::start(&url, WRITERS).await];
    signal(&alone, "STOP").await;
    let mut three = Vec::new();
    for _ in 0..3 {
        three.push(WriterProcess::start(&url, WRITERS / 3).await);
    }
    signal(&three, "STOP").await;
    let (mut of_one, mut of_three) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        of_one.push(turn(&mut alone, effort.seconds).await);
        of_three.push(turn(&mut three, effort.seconds).await);
    }
    let params = json!({ "processes": 3, "writers": WRITERS });
    report.beside("throughput", middle(of_three), "commands/s", params, ("one process", middle(of_one)));
    signal(&alone, "KILL").await;
    signal(&three, "CONT").await;
    let [one_of, second, third] = three.as_mut_slice() else { unreachable!("three were started") };
    // The first report of a process that was paused tells of the pause.
    let _ = tokio::join!(second.watch(WARM_UP_SECONDS), third.watch(WARM_UP_SECONDS));
    for (signal, name) in [("STOP", "paused"), ("KILL", "killed")] {
        one_of.signal(signal).await;
        let (other, last) = tokio::join!(second.watch(3.0), third.watch(3.0));
        let gap = other.longest_gap_ms.max(last.longest_gap_ms);
        report.figure("longest stall", gap, "ms", json!({ "processes": 3, "one": name }));
    }
    drop(three);
    let log = stack::log(&url).await;
    dense(&log).await;
}

/// What processes that are paused write together while they go on for so long.
async fn turn(processes: &mut [WriterProcess], seconds: f64) -> f64 {
    signal(processes, "CONT").await;
    watch(processes, WARM_UP_SECONDS).await;
    let together = watch(processes, seconds).await;
    signal(processes, "STOP").await;
    together
}

async fn watch(processes: &mut [WriterProcess], seconds: f64) -> f64 {
    let progress = join_all(processes.iter_mut().map(|process| process.watch(seconds))).await;
    progress.iter().map(Progress::per_second).sum()
}

async fn signal(processes: &[WriterProcess], name: &str) {
    for process in processes {
        process.signal(name).await;
    }
}

/// Positions are 1..n, whatever happened.
async fn dense(log: &EventLog) {
    let (count, first, last): (i64, i64, i64) =
        sqlx::query_as("SELECT count(*), min(position), max(position) FROM events")
            .fetch_one(log.pool())
            .await
            .unwrap();
    assert_eq!((first, last), (1, count), "positions are dense");
}

/// Throughput while a read transaction stays open, beside that without one.
pub async fn under_long_read(effort: &Effort) -> Report {
    const HELD_SECONDS: f64 = 60.0;
    const WRITERS: usize = 32;
    let stack = Stack::postgres().await;
    let url = stack.migrated().await;
    let log = stack::log(&url).await;
    let mut report = Report::new("append-under-long-read");
    writers::measure(&log, WRITERS, effort.seconds).await;
    let without = writers::measure(&log, WRITERS, HELD_SECONDS).await;
    let mut reader = PgConnection::connect(&url).await.unwrap();
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM events").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let with = writers::measure(&log, WRITERS, HELD_SECONDS).await;
    reader.execute("COMMIT").await.unwrap();
    let params = json!({ "writers": WRITERS, "held_s": HELD_SECONDS });
    let peer = ("without a long read", without.per_second());
    report.beside("throughput", with.per_second(), "commands/s", params.clone(), peer);
    let peer = ("without a long read", without.percentile_ms(0.99));
    report.beside("p99", with.percentile_ms(0.99), "ms", params, peer);
    dense(&log).await;
    report
}
