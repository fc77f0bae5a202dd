//! A unit of work: commands to one or several aggregates, decided and appended as one.
//!
//! Load, decide, append. A conflict with another process is decided again on fresh state, a bounded number
//! of times.
//! A refusal on state that is not fresh is never believed.

mod detached;
mod receipt;
mod span;
mod step;
mod write;

use std::fmt::Debug;
use std::time::Duration;

use cqrs_es::Aggregate;
use serde_json::Value;
use tracing::Instrument;
use uuid::Uuid;

use crate::append::Appended;
use crate::cache::StreamKey;
use crate::log::EventLog;
use crate::{Claim, CommandContext, LogError, clock};
use detached::Detached;
use receipt::replayed;
pub(crate) use receipt::{CLIENT_RECEIPT_DAYS, first_outcome};
use step::{Decision, Step, TypedStep};

/// On a stream that other processes write without a pause only some attempts get through: those processes
/// know its state, this one must load it each time.
const ATTEMPTS_MAX: u32 = 25;
/// How long a caller waits for an outcome, for instance while the database is away.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The position of the unit's last event; of the head when the unit changed nothing.
    pub position: i64,
    /// The version of each stream that was written, in the order of the commands. Empty when replayed.
    pub versions: Vec<i64>,
    /// The names of the events, in order. Empty when replayed.
    pub events: Vec<String>,
    /// What the caller wanted remembered; the first outcome when the command id was used before.
    pub outcome: Value,
    /// True when this command id had its effect before and nothing was written now.
    pub replayed: bool,
}

impl Committed {
    /// Whether something was written now, and not at an earlier run of the same command.
    pub fn is_news(&self) -> bool {
        !self.replayed && !self.events.is_empty()
    }
}

/// An aggregate as it is now.
#[derive(Debug, Clone)]
pub struct Loaded<A> {
    pub state: A,
    /// The number of events of its stream.
    pub version: i64,
}

/// Commands that succeed or fail together. `E` is the error that any of them, or the log, can give.
pub struct Unit<E> {
    log: EventLog,
    context: CommandContext,
    steps: Vec<Box<dyn Step<E>>>,
    claims: Vec<Claim>,
    outcome: Value,
}

impl<E> Unit<E>
where
    E: From<LogError> + Send + 'static,
{
    pub(crate) fn new(log: EventLog, context: CommandContext) -> Self {
        Self { log, context, steps: Vec::new(), claims: Vec::new(), outcome: Value::Null }
    }

    /// Adds commands to one aggregate. Each aggregate may occur once.
    #[must_use]
    pub fn execute<A>(self, id: impl Into<Uuid>, commands: impl IntoIterator<Item = A::Command>) -> Self
    where
        A: Aggregate<Services = ()> + Clone + 'static,
        A::Command: Clone + Debug + Send + Sync,
        E: From<A::Error>,
    {
        self.push::<A>(id.into(), None, commands, false)
    }

    /// Like `execute`, for an aggregate that must be at `version`.
    #[must_use]
    pub fn execute_at<A>(
        self,
        id: impl Into<Uuid>,
        version: Option<i64>,
        commands: impl IntoIterator<Item = A::Command>,
    ) -> Self
    where
        A: Aggregate<Services = ()> + Clone + 'static,
        A::Command: Clone + Debug + Send + Sync,
        E: From<A::Error>,
    {
        self.push::<A>(id.into(), version, commands, false)
    }

    /// Like `execute`, for an aggregate that most probably does not exist yet: saves loading it.
    #[must_use]
    pub fn create<A>(self, id: impl Into<Uuid>, commands: impl IntoIterator<Item = A::Command>) -> Self
    where
        A: Aggregate<Services = ()> + Clone + 'static,
        A::Command: Clone + Debug + Send + Sync,
        E: From<A::Error>,
    {
        self.push::<A>(id.into(), None, commands, true)
    }

    fn push<A>(
        mut self,
        id: Uuid,
        expected: Option<i64>,
        commands: impl IntoIterator<Item = A::Command>,
        assume_new: bool,
    ) -> Self
    where
        A: Aggregate<Services = ()> + Clone + 'static,
        A::Command: Clone + Debug + Send + Sync,
        E: From<A::Error>,
    {
        let key = StreamKey { aggregate_type: A::TYPE, aggregate_id: id };
        let commands = commands.into_iter().collect();
        self.steps.push(Box::new(TypedStep::<A>::new(key, expected, commands, assume_new)));
        self
    }

    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claims.push(claim);
        self
    }

    /// What to remember with the receipt: ids and times that the answer is made of, no personal text.
    #[must_use]
    pub fn outcome(mut self, outcome: Value) -> Self {
        self.outcome = outcome;
        self
    }

    /// Decides and appends. A caller that goes away does not stop it half-way; one that stays must await it, as it
    /// holds the locks of its streams.
    ///
    /// # Errors
    /// The refusal of an aggregate, or what went wrong with the log.
    pub async fn commit(self) -> Result<Committed, E> {
        let (span, command_id) = (span::of_commands(&self.steps), self.context.command_id);
        let run = self.traced(span.clone()).instrument(span);
        match tokio::time::timeout(PATIENCE, Detached::new(run)).await {
            Ok(Ok(result)) => result,
            // The runtime's own report has the words of the panic; they may be personal.
            Ok(Err(_panic)) => {
                tracing::error!(%command_id, "the command stopped: it panicked");
                Err(LogError::Refused { reason: "the command stopped, by a fault of the program".to_owned() }
                    .into())
            }
            // The command goes on by itself; its receipt tells the outcome to whoever asks again.
            Err(_) => Err(LogError::OutcomeUnknown.into()),
        }
    }

    async fn traced(self, span: tracing::Span) -> Result<Committed, E> {
        let result = self.run().await;
        span::tell(&span, &result);
        result
    }

    async fn run(mut self) -> Result<Committed, E> {
        let command = StreamKey { aggregate_type: "command", aggregate_id: self.context.command_id };
        let keys = self.steps.iter().map(|step| *step.key()).chain([command]);
        // A decision on a log that lost its end would be wrong, also where it is a refusal.
        self.log.admit()?;
        let _guards = self.log.locks().lock(keys).await;
        let mut fresh = false;
        for attempt in 1.. {
            for step in &mut self.steps {
                step.load(&self.log, fresh).await?;
            }
            let decided = self.decide().await;
            let mut events: Vec<NewDecision> = match decided {
                Ok(events) if !events.is_empty() => events,
                refused_or_empty => {
                    if !self.all_fresh() {
                        fresh = true;
                        continue;
                    }
                    return self.answer_without_events(refused_or_empty.err()).await;
                }
            };
            match self.append(&mut events).await? {
                Appended::Stored { last, .. } => return Ok(self.remember(last, events)),
                Appended::Duplicate { last, outcome } => {
                    self.evict();
                    return Ok(replayed(last, serde_json::from_str(&outcome).unwrap_or_default()));
                }
                Appended::Mismatch => {
                    // Another command had this id, or the first answer was lost with a restore.
                    self.evict();
                    let first = self.first_outcome().await?;
                    return first.ok_or_else(|| self.reused().into());
                }
                Appended::Taken { kind } => return Err(LogError::Taken { kind }.into()),
                Appended::Conflict { stream } => {
                    if attempt >= ATTEMPTS_MAX {
                        self.evict();
                        return Err(LogError::Contention { stream, attempts: attempt }.into());
                    }
                    fresh = true;
                    tokio::time::sleep(jitter(attempt)).await;
                }
            }
        }
        Err(LogError::OutcomeUnknown.into())
    }

    fn all_fresh(&self) -> bool {
        self.steps.iter().all(|step| step.is_fresh())
    }

    fn evict(&self) {
        for step in &self.steps {
            self.log.cache().evict(step.key());
        }
    }

    fn reused(&self) -> LogError {
        LogError::CommandIdReused { command_id: self.context.command_id }
    }

    async fn decide(&mut self) -> Result<Vec<NewDecision>, E> {
        let mut all = Vec::new();
        for (index, step) in self.steps.iter_mut().enumerate() {
            all.extend(step.decide().await?.into_iter().map(|event| NewDecision { step: index, event }));
        }
        Ok(all)
    }

    /// Nothing to append: a refusal, or a command that changes nothing. Either may be the echo of the first
    /// run of this very command, which then gives the answer.
    async fn answer_without_events(&self, refusal: Option<E>) -> Result<Committed, E> {
        match (self.first_outcome().await?, refusal) {
            (Some(first), _) => Ok(first),
            (None, Some(refusal)) => Err(refusal),
            (None, None) => Ok(Committed {
                position: self.log.head().await?,
                versions: self.steps.iter().map(|step| step.version()).collect(),
                events: vec![],
                outcome: self.outcome.clone(),
                replayed: false,
            }),
        }
    }

    /// What this command id answered before. Where the answer was lost, that of a process manager is made
    /// again: it follows from the cause, as the command does.
    async fn first_outcome(&self) -> Result<Option<Committed>, LogError> {
        let first = first_outcome(self.log.pool(), &self.context).await?;
        Ok(first.map(|first| match first.outcome {
            Value::Null => Committed { outcome: self.outcome.clone(), ..first },
            _ => first,
        }))
    }

    fn remember(self, position: i64, decisions: Vec<NewDecision>) -> Committed {
        let mut versions: Vec<i64> = self.steps.iter().map(|step| step.version()).collect();
        for decision in &decisions {
            versions[decision.step] += 1;
        }
        for (step, version) in self.steps.into_iter().zip(&versions) {
            step.remember(&self.log, *version);
        }
        Committed {
            position,
            versions,
            events: decisions.into_iter().map(|decision| decision.event.event_type).collect(),
            outcome: self.outcome,
            replayed: false,
        }
    }
}

/// A few milliseconds that differ between processes.
fn jitter(attempt: u32) -> Duration {
    let spread = u64::from(clock::new_id().as_bytes()[15] % 8);
    Duration::from_millis(u64::from(attempt) * 2 + spread)
}

struct NewDecision {
    step: usize,
    event: Decision,
}
