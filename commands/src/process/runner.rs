//! Claims rows of one role and has them done, several at once. A message only wakes it; nothing depends on
//! one arriving.

use std::future::Future;
use std::time::Duration;

use event_log::trace;
use event_log::work::{self, ClaimedWork};
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::{Outcome, analysis, assistant, cleanup, deadlines, generation};
use crate::{CommandError, Commands};

/// How long a claim lives without being renewed: the time until somebody takes over from the dead.
const CLAIM_LIFE: Duration = Duration::from_secs(8);
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How long a runner sleeps when nobody wakes it.
const POLL_MAX: Duration = Duration::from_millis(500);
const POLL_MIN: Duration = Duration::from_millis(10);
const RETRY_DELAY_MAX: Duration = Duration::from_mins(1);

/// The process managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Assistant,
    Generation,
    Analysis,
    Timers,
    Cleanup,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::Assistant, Self::Generation, Self::Analysis, Self::Timers, Self::Cleanup];

    /// The name under which rows are kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Generation => "generation",
            Self::Analysis => "analysis",
            Self::Timers => "timers",
            Self::Cleanup => "cleanup",
        }
    }

    fn concurrency(self) -> usize {
        match self {
            Self::Assistant => 16,
            Self::Generation | Self::Timers => 4,
            Self::Analysis => 2,
            Self::Cleanup => 1,
        }
    }
}

/// Does the work of one role in this process.
#[derive(Debug)]
pub struct Runner {
    commands: Commands,
    role: Role,
}

impl Runner {
    pub fn new(commands: Commands, role: Role) -> Self {
        Self { commands, role }
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
            let free = self.role.concurrency() - running.len();
            let claimed = self.claim(free).await;
            let found = !claimed.is_empty();
            for row in claimed {
                let span = span_of(self.role, &row);
                running.spawn(do_row(self.commands.clone(), self.role, row).instrument(span));
            }
            if found && running.len() < self.role.concurrency() {
                continue;
            }
            if running.len() >= self.role.concurrency() {
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

    async fn claim(&self, free: usize) -> Vec<ClaimedWork> {
        // On a log that lost its end every attempt would fail, and rows that failed often enough are given up.
        if free == 0 || self.commands.log.rewound().is_some() {
            return Vec::new();
        }
        let limit = i64::try_from(free).unwrap_or(i64::MAX);
        match work::claim(self.commands.log.pool(), self.role.name(), CLAIM_LIFE, limit).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, role = self.role.name(), "no work can be claimed");
                Vec::new()
            }
        }
    }

    async fn pause(&self) -> Duration {
        match work::next_due(self.commands.log.pool(), self.role.name()).await {
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
fn span_of(role: Role, row: &ClaimedWork) -> Span {
    tracing::info_span!(
        target: trace::TARGET,
        "work",
        traceparent = row.traceparent,
        otel.name = format!("{} {}", role.name(), row.task),
        otel.kind = "consumer",
        otel.status_code = Empty,
        routix.role = role.name(),
        routix.task = row.task,
        routix.attempt = row.attempts,
        routix.position = row.position,
    )
}

async fn do_row(commands: Commands, role: Role, row: ClaimedWork) {
    let pool = commands.log.pool().clone();
    let step = async {
        match role {
            Role::Assistant => assistant::answer(&commands, &row).await,
            Role::Generation => generation::generate(&commands, &row).await,
            Role::Analysis => analysis::analyze(&commands, &row).await,
            Role::Timers => deadlines::fire(&commands, &row).await,
            Role::Cleanup => cleanup::erase_objects(&commands, &row).await,
        }
    };
    let result = tokio::select! {
        result = step => result,
        () = lost(&commands, &row) => Ok(Outcome::Lost),
    };
    let settled = match result {
        Ok(Outcome::Done) => work::finish(&pool, &row).await.map(|_| ()),
        Ok(Outcome::Lost) => Ok(()),
        Err(error) => {
            Span::current().record("otel.status_code", "ERROR");
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                role = role.name(),
                task = row.task,
                subject = row.subject,
                attempts = row.attempts,
                "a piece of work failed and is tried again"
            );
            work::retry_later(&pool, &row, delay(row.attempts), &class(&error)).await
        }
    };
    if let Err(error) = settled {
        tracing::warn!(%error, role = role.name(), "a piece of work could not be marked; its claim ends by itself");
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

fn delay(attempts: i32) -> Duration {
    let exponent = u32::try_from(attempts.clamp(1, 10)).unwrap_or(1);
    Duration::from_millis(100 * 2_u64.pow(exponent)).min(RETRY_DELAY_MAX)
}

/// What went wrong, without the words of a person.
fn class(error: &CommandError) -> String {
    error.to_string()
}
