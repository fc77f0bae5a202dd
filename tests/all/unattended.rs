//! Parts of the background work that nobody runs: nothing fails by that, so somebody has to say it.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::client::Client;
use crate::support::world::World;
use crate::support::{PATIENCE, eventually};

async fn health(client: &Client) -> Value {
    client.get("/health/detailed").await.body
}

fn missing(health: &Value) -> BTreeSet<String> {
    let parts = health["nobody_runs"].as_array().cloned().unwrap_or_default();
    parts.iter().map(|part| part.as_str().unwrap().to_owned()).collect()
}

fn parts<const N: usize>(parts: [&str; N]) -> BTreeSet<String> {
    parts.map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_that_nobody_runs_are_named_until_somebody_does_and_again_when_that_one_ends() {
    let world = World::with(&[], &["relay,projections,analysis"]).await;
    let user = world.user().await;
    let without = parts(["assistant", "cleanup", "generation", "timers"]);
    eventually("health names them", || async { (missing(&health(&user).await) == without).then_some(()) })
        .await;
    assert_eq!(health(&user).await["status"], "degraded");
    assert_eq!(user.get("/health").await.status, 200, "readiness is another question");

    let mut more = world.surroundings.start(&["work", "--role", "assistant,generation,cleanup"]).await;
    let left = parts(["timers"]);
    eventually("one is left", || async { (missing(&health(&user).await) == left).then_some(()) }).await;
    let metrics = String::from_utf8(user.get("/metrics").await.bytes).unwrap();
    for (part, processes) in [("timers", 0), ("assistant", 1), ("relay", 1)] {
        let sample = format!("routix_part_processes{{part=\"{part}\"}} {processes}");
        assert!(metrics.contains(&sample), "{sample} is missing");
    }
    assert!(more.end().await);
    assert_eq!(missing(&health(&user).await), without, "it said that it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_warns_in_its_log_of_the_parts_that_nobody_runs() {
    let world = World::with(&[], &["relay", "projections"]).await;
    let mut worker = world.surroundings.command(&["work", "--role", "assistant,timers,analysis"]);
    let mut worker = worker.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(worker.stderr.take().unwrap()).lines();
    let warned = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("nobody runs") {
                return line;
            }
        }
        panic!("the worker ended");
    });
    let line = warned.await.expect("it warns");
    assert!(
        line.contains("--role generation,cleanup`") || line.contains("--role cleanup,generation`"),
        "{line}"
    );
    worker.kill().await.unwrap();
}
