//! Shows that the tests see: puts known faults into the code, one at a time, and requires that the test named beside
//! each fails. `cargo run -p tests --bin mutants [-- id...]`; `--unchanged` runs those tests without any fault.
//!
//! The code is that of the committed HEAD, in a worktree below `target/mutants`; patches and table are read from
//! `tests/mutants` as they are.

#![allow(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

mod catalogue;
mod ground;
mod trial;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use ground::Ground;
use trial::Verdict;

#[derive(Debug, Parser)]
#[command(name = "mutants")]
struct Arguments {
    /// The faults that are tried; all of them where none is named.
    ids: Vec<String>,
    /// Runs the tests without the faults: each must pass, or it would notice whatever it is given.
    #[arg(long)]
    unchanged: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { ids, unchanged } = Arguments::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let faults = catalogue::read(&root.join("tests/mutants"), &ids);
    let ground = Ground::prepare(root);
    let mut bad = 0;
    for fault in &faults {
        let begun = Instant::now();
        let (verdict, text, is_bad) = if unchanged {
            let verdict = trial::of_code(&ground, fault).await;
            let text = match verdict {
                Verdict::Noticed => "fails",
                Verdict::NotNoticed => "passes",
                other => other.text(),
            };
            (verdict, text, !matches!(verdict, Verdict::NotNoticed | Verdict::Open))
        } else {
            let verdict = trial::of_fault(&ground, fault).await;
            (verdict, verdict.text(), verdict.is_bad())
        };
        bad += u32::from(is_bad);
        let test =
            fault.test.as_deref().filter(|_| verdict != Verdict::Open).unwrap_or("no test is named yet");
        say(&format!(
            "{:<5} {text:<15} {:>5} s  {} {test}",
            fault.id,
            begun.elapsed().as_secs(),
            fault.package
        ));
    }
    say(&format!("{} faults, {bad} to look at; what was printed is in target/mutants/logs", faults.len()));
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::print_stdout, reason = "the answer to the person who tries the tests")]
fn say(line: &str) {
    println!("{line}");
}
