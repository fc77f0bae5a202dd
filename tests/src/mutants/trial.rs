//! The trial of a fault: build, run the one test, judge.

use std::process::Stdio;
use std::time::Duration;

use crate::catalogue::Fault;
use crate::ground::Ground;

/// A test has failed long before, and a build has ended.
const TRIAL_MAX: Duration = Duration::from_mins(30);

/// The outcome of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Noticed,
    NotNoticed,
    DoesNotApply,
    DoesNotBuild,
    /// No test has the name that the table says.
    NoSuchTest,
    /// The test neither passed nor failed in time.
    NoEnd,
    /// The table names no test yet.
    Open,
}

impl Verdict {
    pub fn text(self) -> &'static str {
        match self {
            Self::Noticed => "noticed",
            Self::NotNoticed => "NOT NOTICED",
            Self::DoesNotApply => "does not apply",
            Self::DoesNotBuild => "does not build",
            Self::NoSuchTest => "no such test",
            Self::NoEnd => "no end",
            Self::Open => "open",
        }
    }

    /// Tells that somebody has to look.
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Noticed | Self::Open)
    }
}

/// Tries a fault: its test must fail.
pub async fn of_fault(ground: &Ground, fault: &Fault) -> Verdict {
    let Some(test) = &fault.test else { return Verdict::Open };
    let verdict =
        if ground.apply(&fault.patch) { run(ground, fault, test).await } else { Verdict::DoesNotApply };
    ground.restore();
    verdict
}

/// Runs the test of a fault on the code without the fault. The test notices nothing by failing there.
pub async fn of_code(ground: &Ground, fault: &Fault) -> Verdict {
    let Some(test) = &fault.test else { return Verdict::Open };
    run(ground, fault, test).await
}

async fn run(ground: &Ground, fault: &Fault, test: &str) -> Verdict {
    let target: &[&str] = if fault.target == "lib" { &["--lib"] } else { &["--test", &fault.target] };
    let command = [&["test", "--package", &fault.package][..], target].concat();
    let built = printed(ground, &[&command[..], &["--no-run"]].concat()).await;
    let Some((true, _)) = built else {
        ground.log(&fault.id, &built.map(|(_, printed)| printed).unwrap_or_default());
        return Verdict::DoesNotBuild;
    };
    let Some((_, printed)) = printed(ground, &[&command[..], &["--", "--exact", test]].concat()).await else {
        return Verdict::NoEnd;
    };
    ground.log(&fault.id, &printed);
    match counts(&printed) {
        Some((0, 0)) => Verdict::NoSuchTest,
        Some((_, 0)) => Verdict::NotNoticed,
        Some(_) => Verdict::Noticed,
        None => Verdict::NoEnd,
    }
}

/// The success of a call of cargo, and what it printed. `None` when it did not end in time.
async fn printed(ground: &Ground, arguments: &[&str]) -> Option<(bool, String)> {
    let mut cargo = ground.cargo();
    let output = cargo.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(TRIAL_MAX, output).await.ok()?.unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// The numbers of tests that passed and that failed, from the last line of the test runner.
fn counts(printed: &str) -> Option<(u32, u32)> {
    let line = printed.lines().rfind(|line| line.starts_with("test result: "))?;
    let number = |what: &str| {
        let before = line.split_once(what)?.0.trim_end();
        before.rsplit(' ').next()?.parse().ok()
    };
    Some((number("passed")?, number("failed")?))
}
