//! Claims rows of one role and has them done, several at once. A message only wakes it; nothing depends on
//! one arriving.

use std::future::Future;
use std::time::Duration;

use domain::reactions::{Role, Task};
use event_log::work::{self, ClaimedWork, Failure, Known};
use event_log::{LogError, trace};
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::pace::{Pace, Verdict};
use super::{CLAIM_LIFE, Outcome, Step, analysis, assistant, cleanup, deadlines, generation};
use crate::{CommandError, Commands};

const RENEW_EVERY: Duration = Duration::from_secs(2);
/// A runner sleeps so long when nobody wakes it.
const POLL_MAX: Duration = Duration::from_millis(500);
const POLL_MIN: Duration = Duration::from_millis(10);

/// Does the work of one role in this process.
#[derive(Debug)]
pub struct Runner {
    commands: Commands,
    role: Role,
    /// The names of the tasks that this program knows of the role.
    tasks: Vec<&'static str>,
    pace: Pace,
}

impl Runner {
    pub fn new(commands: Commands, role: Role) -> Self {
        Self { commands, role, tasks: role.tasks().map(Task::name).collect(), pace: Pace::of(role) }
    }

    /// Other limits than the role's own.
    #[must_use]
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    fn known(&self) -> Known<'_> {
        Known { role: self.role.name(), tasks: &self.tasks }
    }

    /// Runs until `stop`, and finishes then what it has claimed. A claim that is on its way at that moment
    /// ends by itself.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut running = JoinSet::new();
        tokio::select! {
            () = self.work(&mut running) => {}
            () = stop => {}
        }
        while running.join_next().await.is_some() {}
    }

    async fn work(&self, running: &mut JoinSet<()>) {
        let mut wakes = self.commands.bus.wakes(self.role.name()).await.ok();
        loop {
            let concurrency = self.pace.concurrency;
            let claimed = self.claim(concurrency.saturating_sub(running.len())).await;
            let found = !claimed.is_empty();
            for (task, row) in claimed {
                let span = span_of(task, &row);
                running.spawn(do_row(self.commands.clone(), self.pace, task, row).instrument(span));
            }
            if found && running.len() < concurrency {
                continue;
            }
            if running.len() >= concurrency {
                running.join_next().await;
                continue;
            }
            let pause = self.pause().await;
            tokio::select! {
                () = woken(&mut wakes) => {}
                Some(_) = running.join_next() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn claim(&self, free: usize) -> Vec<(Task, ClaimedWork)> {
        // On a log that lost its end every try would fail.
        if free == 0 || self.commands.log.rewound().is_some() {
            return Vec::new();
        }
        let limit = i64::try_from(free).unwrap_or(i64::MAX);
        match work::claim(self.commands.log.pool(), self.known(), CLAIM_LIFE, limit).await {
            // Only rows of known tasks are claimed.
            Ok(rows) => {
                rows.into_iter().filter_map(|row| Task::parse(&row.task).map(|task| (task, row))).collect()
            }
            Err(error) => {
                tracing::warn!(%error, role = self.role.name(), "no work can be claimed");
                Vec::new()
            }
        }
    }

    async fn pause(&self) -> Duration {
        match work::next_due(self.commands.log.pool(), self.known()).await {
            Ok(Some(due)) => due.clamp(POLL_MIN, POLL_MAX),
            Ok(None) | Err(_) => POLL_MAX,
        }
    }
}

async fn woken(wakes: &mut Option<nats::Wakes>) {
    match wakes {
        Some(wakes) => wakes.next().await,
        None => std::future::pending().await,
    }
}

/// The span of an attempt. It goes on with the trace of the event that called for the work.
fn span_of(task: Task, row: &ClaimedWork) -> Span {
    let role = task.role().name();
    tracing::info_span!(
        target: trace::TARGET,
        "work",
        traceparent = row.traceparent,
        otel.name = format!("{role} {}", task.name()),
        otel.kind = "consumer",
        otel.status_code = Empty,
        routix.role = role,
        routix.task = task.name(),
        routix.attempt = row.attempts,
        routix.position = row.position.get(),
    )
}

async fn do_row(commands: Commands, pace: Pace, task: Task, row: ClaimedWork) {
    let result = if pace.is_over(row.attempts) {
        Err(CommandError::Stopped)
    } else {
        tokio::select! {
            result = step(&commands, task, &row) => result,
            () = lost(&commands, &row) => Ok(Outcome::Lost),
        }
    };
    let settled = match result {
        Ok(Outcome::Done) => work::finish(commands.log.pool(), &row).await.map(|_| ()),
        Ok(Outcome::Lost) => Ok(()),
        Err(error) => give_back(&commands, pace, &row, &error).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, role = task.role().name(), "a piece of work could not be marked; its claim ends by itself");
    }
}

async fn step(commands: &Commands, task: Task, row: &ClaimedWork) -> Step {
    match task {
        Task::OfferAlgorithms => assistant::offer_algorithms(commands, row).await,
        Task::AskForPicture => assistant::ask_for_picture(commands, row).await,
        Task::StartGeneration => assistant::start_generation(commands, row).await,
        Task::Generate => generation::generate(commands, row).await,
        Task::GenerationDeadline => deadlines::fire(commands, row).await,
        Task::Analyze => analysis::analyze(commands, row).await,
        Task::EraseObjects => cleanup::erase_objects(commands, row).await,
        Task::DeleteObjects => cleanup::delete_objects(commands, row).await,
    }
}

async fn give_back(
    commands: &Commands,
    pace: Pace,
    row: &ClaimedWork,
    error: &CommandError,
) -> Result<(), LogError> {
    Span::current().record("otel.status_code", "ERROR");
    let pool = commands.log.pool();
    let (task, subject, attempts) = (&row.task, &row.subject, row.attempts);
    match pace.verdict(attempts, error) {
        Verdict::Again { delay, is_excused } => {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                task,
                subject,
                attempts,
                "a piece of work failed and is tried again"
            );
            work::retry_later(pool, row, delay, Failure { error: &class(error), is_excused }).await
        }
        Verdict::Park => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                task,
                subject,
                attempts,
                work_id = %row.work_id,
                "a piece of work failed too often and is parked until an admin asks for another try"
            );
            work::park(pool, row, &class(error)).await.map(|_| ())
        }
    }
}

/// Renews the claim until it is lost.
async fn lost(commands: &Commands, row: &ClaimedWork) {
    let mut unanswered = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match work::renew(commands.log.pool(), row, CLAIM_LIFE).await {
            Ok(true) => unanswered = tokio::time::Instant::now(),
            Ok(false) => return,
            Err(_) if unanswered.elapsed() > CLAIM_LIFE => return,
            Err(_) => {}
        }
    }
}

/// The reason of a failure, without the words of a person. Sources below these may quote what somebody wrote.
fn class(error: &CommandError) -> String {
    match error {
        CommandError::ReadSide(source) => format!("{error}: {source}"),
        CommandError::Provider(source) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}
