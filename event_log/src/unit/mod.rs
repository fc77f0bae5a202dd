//! A unit of work: commands to one or several aggregates, decided and appended as one.
//!
//! Load, decide, append. A conflict with another process is decided again on fresh state, a bounded number
//! of times.
//! A refusal on state that is not fresh is never believed.

mod committed;
mod detached;
mod names;
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
use crate::receipts::{self, Receipt};
use crate::{Claim, CommandContext, LogError, Position, Version, barrier, clock, load};
pub use committed::{Committed, Loaded};
use detached::Detached;
use step::{Decision, Step, TypedStep};

/// On a stream that other processes write without a pause only some attempts get through: those processes
/// know its state, this one must load it each time.
const ATTEMPTS_MAX: u32 = 25;
/// A caller waits so long for an outcome, for instance while the database is away.
const PATIENCE: Duration = Duration::from_secs(15);

impl EventLog {
    /// Begins a unit of work.
    pub fn unit<E: From<LogError> + Send + 'static>(&self, context: CommandContext) -> Unit<E> {
        Unit { log: self.clone(), context, steps: Vec::new(), claims: Vec::new(), outcome: Value::Null }
    }

    /// The first answer of a command id. Asked before a check outside the unit refuses a repeated command.
    pub async fn first_outcome(&self, context: &CommandContext) -> Result<Option<Committed>, LogError> {
        Ok(receipts::find(self.pool(), context).await?.map(Committed::replayed))
    }

    /// The state of an aggregate as the primary has it now.
    pub async fn load<A: Aggregate + Clone + 'static>(
        &self,
        id: impl Into<Uuid>,
    ) -> Result<Loaded<A>, LogError> {
        // What is not there may be in the end that was lost.
        self.admit()?;
        let key = StreamKey { aggregate_type: A::TYPE, aggregate_id: id.into() };
        let mark = self.cache().mark();
        let (state, version) = match self.cache().get::<A>(&key) {
            Some((state, version)) => {
                load::advance(self.pool(), self.vault(), key.aggregate_id, state, version).await?
            }
            None => load::load(self.pool(), self.vault(), key.aggregate_id).await?,
        };
        self.cache().put_read(mark, key, state.clone(), version);
        Ok(Loaded { state, version })
    }

    /// The state of an aggregate as it was lately: from memory when it is there. Good enough to accept, not
    /// to refuse.
    pub async fn load_cached<A: Aggregate + Clone + 'static>(
        &self,
        id: impl Into<Uuid>,
    ) -> Result<Loaded<A>, LogError> {
        let id = id.into();
        let key = StreamKey { aggregate_type: A::TYPE, aggregate_id: id };
        match self.cache().get::<A>(&key) {
            Some((state, version)) => Ok(Loaded { state, version }),
            None => self.load(id).await,
        }
    }
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
        version: Option<Version>,
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
        expected: Option<Version>,
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

    /// Sets the outcome that the receipt remembers: ids and times that the answer is made of, no personal text.
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
                Err(LogError::Panicked.into())
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
                    let outcome = serde_json::from_str(&outcome).unwrap_or_default();
                    return Ok(Committed::replayed(Receipt { position: last, outcome }));
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
            (None, None) => {
                let position = self.log.head().await?;
                barrier::wait(self.log.pool()).await.map_err(LogError::from)?;
                Ok(Committed {
                    position,
                    versions: self.steps.iter().map(|step| step.version()).collect(),
                    events: vec![],
                    outcome: self.outcome.clone(),
                    replayed: false,
                })
            }
        }
    }

    /// The first answer of this command id. Where it was lost, that of a process manager is made
    /// again: it follows from the cause, as the command does.
    async fn first_outcome(&self) -> Result<Option<Committed>, LogError> {
        let first = self.log.first_outcome(&self.context).await?;
        Ok(first.map(|first| match first.outcome {
            Value::Null => Committed { outcome: self.outcome.clone(), ..first },
            _ => first,
        }))
    }

    fn remember(self, position: Position, decisions: Vec<NewDecision>) -> Committed {
        let mut versions: Vec<Version> = self.steps.iter().map(|step| step.version()).collect();
        for decision in &decisions {
            versions[decision.step] = versions[decision.step].next();
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
