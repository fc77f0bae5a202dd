//! `bench compare <commit>`: that commit, built in a worktree, in turn with the present program. Each pair of runs
//! gives a ratio, so the machine's pace falls on both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::drive::middle;

/// Pairs of runs of each case.
const PAIRS: usize = 5;
/// A case is worse when the median of its ratios is below this, and at most one of them is above 1.
const WORSE_BELOW: f64 = 0.93;

/// A run of the program that both commits know, and the figures that are compared.
struct Probe {
    arguments: &'static [&'static str],
    figures: &'static [Figure],
}

/// A figure of a run: its metric, one of its parameters as JSON, and the direction that is better.
struct Figure {
    metric: &'static str,
    param: Option<(&'static str, &'static str)>,
    is_more_better: bool,
}

const fn more(metric: &'static str, param: Option<(&'static str, &'static str)>) -> Figure {
    Figure { metric, param, is_more_better: true }
}

const fn less(metric: &'static str) -> Figure {
    Figure { metric, param: None, is_more_better: false }
}

const PROBES: [Probe; 6] = [
    Probe {
        arguments: &["append", "--writers", "1,32,128,512", "--seconds", "1.5", "--rounds", "1"],
        figures: &[
            more("throughput", Some(("writers", "1"))),
            more("throughput", Some(("writers", "32"))),
            more("throughput", Some(("writers", "128"))),
            more("throughput", Some(("writers", "512"))),
            more("throughput", Some(("processes", "3"))),
        ],
    },
    Probe {
        arguments: &["hot-stream", "--seconds", "2", "--rounds", "1"],
        figures: &[more("throughput", None)],
    },
    Probe {
        arguments: &["http-commands", "--seconds", "3", "--rounds", "1"],
        figures: &[more("throughput", Some(("assistant", "\"off\"")))],
    },
    Probe {
        arguments: &["http-queries", "--seconds", "3", "--rounds", "1"],
        figures: &[more("throughput", None)],
    },
    Probe { arguments: &["rebuild", "--rounds", "1"], figures: &[more("rebuild", None)] },
    Probe {
        arguments: &["lag", "--seconds", "3", "--rounds", "1"],
        figures: &[less("commit to read model, p50"), less("commit to socket, p50")],
    },
];

/// Compares the present program with that of a commit, in all cases or in those whose names are given.
pub fn run(commit: &str, only: &[String]) {
    let before = built(commit);
    let now = std::env::current_exe().unwrap();
    say(&format!("{:<44} {:>10} {:>7}  {:<34} verdict", "figure", "now", "median", "ratios of the pairs"));
    for probe in &PROBES {
        let case = probe.arguments[0];
        if !only.is_empty() && !only.iter().any(|name| name == case) {
            continue;
        }
        let mut pairs = Vec::new();
        for pair in 0..PAIRS {
            // Neither is always the first.
            let order = if pair % 2 == 0 { [&before, &now] } else { [&now, &before] };
            let [first, second] = order.map(|program| measured(program, probe.arguments));
            pairs.push(if pair % 2 == 0 { (first, second) } else { (second, first) });
        }
        for figure in probe.figures {
            judge(case, figure, &pairs);
        }
    }
}

fn judge(case: &str, figure: &Figure, pairs: &[(Vec<Value>, Vec<Value>)]) {
    let ratio = |(before, now): &(Vec<Value>, Vec<Value>)| {
        let (before, now) = (figure.of(before), figure.of(now));
        if figure.is_more_better { now / before } else { before / now }
    };
    let ratios: Vec<f64> = pairs.iter().map(ratio).collect();
    let median = middle(ratios.clone());
    let is_worse = median < WORSE_BELOW && ratios.iter().filter(|ratio| **ratio > 1.0).count() <= 1;
    let shown: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let now = middle(pairs.iter().map(|(_, now)| figure.of(now)).collect());
    let param = figure.param.map(|(name, value)| format!(" {name}={value}")).unwrap_or_default();
    say(&format!(
        "{:<44} {now:>10.2} {median:>7.2}  {:<34} {}",
        format!("{case} {}{param}", figure.metric),
        shown.join(" "),
        if is_worse { "WORSE" } else { "stands" },
    ));
}

impl Figure {
    /// The value in a report's JSON lines.
    fn of(&self, lines: &[Value]) -> f64 {
        let is_meant = |line: &&Value| {
            line["metric"] == self.metric
                && self.param.is_none_or(|(name, value)| format!("{}", line["params"][name]) == value)
        };
        let line = lines.iter().find(is_meant);
        line.unwrap_or_else(|| panic!("no figure {}", self.metric))["value"].as_f64().unwrap()
    }
}

/// The program of a commit, built where the next comparison finds it again.
fn built(commit: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new("git").args(["rev-parse", commit]).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{commit} is not a commit");
    let hash = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let tree = root.join("target/compare").join(&hash);
    if !tree.exists() {
        let add = ["worktree", "add", "--detach", tree.to_str().unwrap(), &hash];
        assert!(Command::new("git").args(add).current_dir(root).status().unwrap().success());
    }
    let build = ["build", "--release", "-p", "tests", "--bin", "bench"];
    // The one of the path: where rustup chooses the compiler, only that one tells it the choice.
    let mut cargo = Command::new("cargo");
    cargo.args(build).current_dir(&tree).env_remove("CARGO_TARGET_DIR");
    assert!(cargo.status().unwrap().success(), "{commit} does not build");
    tree.join("target/release/bench")
}

/// The JSON lines of a run.
fn measured(program: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{} {arguments:?} failed", program.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[allow(clippy::print_stdout, reason = "the answer to the person who compares")]
fn say(line: &str) {
    println!("{line}");
}
