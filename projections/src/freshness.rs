//! Read your writes: every query says how fresh it must be, and every answer says how fresh it is.
//!
//! The checkpoint of the projection is read before the rows, on the same connection, so an answer is never
//! older than it says. A read that must be newer waits, without a connection, until the projection is there
//! or patience ends. A lookup that finds nothing looks again once the projection has reached the log.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use event_log::{EventLog, LogError, PoolUse, Position, ReadConnection, Readers, checkpoints};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Map;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::{Instant, sleep};

/// The time that a read waits for its projection.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL_MIN: Duration = Duration::from_millis(2);
const POLL_MAX: Duration = Duration::from_millis(25);

/// Settings of the connections. They concern the search for templates alone: without the iterative scan a narrow filter
/// leaves too few rows.
const SETTINGS: &[(&str, &str)] = &[("hnsw.ef_search", "100"), ("hnsw.iterative_scan", "relaxed_order")];

/// The freshness that an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// As the read model has it.
    Now,
    /// Not before the event at this position was applied.
    After(Position),
}

/// An answer and how fresh it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh<T> {
    pub value: T,
    /// The answer holds at least every event up to here.
    pub checkpoint: Position,
    /// The number of wanted events that the answer lacks, when waiting for them took too long.
    pub behind: Option<i64>,
}

impl<T> Fresh<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fresh<U> {
        Fresh { value: f(self.value), checkpoint: self.checkpoint, behind: self.behind }
    }
}

/// The checkpoint that a read waits for, and for how long.
#[derive(Debug, Clone, Copy)]
struct Goal {
    after: Position,
    deadline: Instant,
}

impl Goal {
    fn of(wanted: Wanted) -> Self {
        let after = match wanted {
            Wanted::Now => Position::ZERO,
            Wanted::After(position) => position,
        };
        Self { after, deadline: Instant::now() + PATIENCE }
    }

    /// Ends the waiting: the checkpoint is there, or patience has ended.
    fn is_met(&self, checkpoint: Position) -> bool {
        checkpoint >= self.after || Instant::now() >= self.deadline
    }

    fn behind(&self, checkpoint: Position) -> Option<i64> {
        (checkpoint < self.after).then_some(self.after.since(checkpoint))
    }
}

/// A statement whose rows become `T`, as the macros of sqlx make it.
pub(crate) type Statement<'q, F> = Map<'q, Postgres, F, PgArguments>;

/// A row that brings the checkpoint along: checkpoint and rows are read in one statement.
pub(crate) trait Dated {
    fn checkpoint(&self) -> Position;

    /// Tells a lookup that found nothing. Such a lookup looks again.
    fn is_missing(&self) -> bool {
        false
    }
}

/// The way to all read models. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    readers: Readers,
    log: EventLog,
}

impl Reader {
    /// Reads from `pool`, which may be a replica; `log` is the primary.
    pub fn new(pool: &PgPool, log: EventLog) -> Self {
        let readers = Readers::like(pool, log.connections().queries, SETTINGS);
        Self { readers, log }
    }

    /// The connections for queries at this moment.
    pub fn pool_use(&self) -> PoolUse {
        self.readers.pool_use()
    }

    /// The log itself, for what read models leave in it.
    pub(crate) fn log(&self) -> &EventLog {
        &self.log
    }

    /// Begins a read as soon as the projection is as fresh as wanted.
    pub(crate) async fn begin(&self, projection: &str, wanted: Wanted) -> Result<Read, LogError> {
        self.begin_at(projection, Goal::of(wanted)).await
    }

    /// Asks for at most one row. The absence of the row is believed only once the projection has reached the end of
    /// the log.
    pub(crate) async fn lookup<'q, T, F>(
        &self,
        projection: &str,
        wanted: Wanted,
        statement: impl Fn() -> Statement<'q, F>,
    ) -> Result<Fresh<Option<T>>, LogError>
    where
        T: Send + Unpin,
        F: FnMut(PgRow) -> Result<T, sqlx::Error> + Send,
    {
        let goal = Goal::of(wanted);
        let mut read = self.begin_at(projection, goal).await?;
        let row = statement().fetch_optional(&mut *read).await?;
        let first = read.finish(row);
        if first.value.is_some() {
            return Ok(first);
        }
        let Some(later) = self.later(goal, &first).await? else { return Ok(first) };
        let mut read = self.begin_at(projection, later).await?;
        let row = statement().fetch_optional(&mut *read).await?;
        Ok(read.finish(row))
    }

    /// Asks with a statement that reads the checkpoint along with the rows. It gives one row at least.
    pub(crate) async fn at_once<'q, T, F>(
        &self,
        projection: &str,
        wanted: Wanted,
        statement: impl Fn() -> Statement<'q, F>,
    ) -> Result<Fresh<Vec<T>>, LogError>
    where
        T: Dated + Send + Unpin,
        F: FnMut(PgRow) -> Result<T, sqlx::Error> + Send,
    {
        let goal = Goal::of(wanted);
        let first = self.at_once_after(projection, goal, &statement).await?;
        if !first.value.iter().any(Dated::is_missing) {
            return Ok(first);
        }
        let Some(later) = self.later(goal, &first).await? else { return Ok(first) };
        self.at_once_after(projection, later, &statement).await
    }

    /// The goal of a second look, after a first one that found nothing. `None` when the first look is to be believed,
    /// or waited too long already.
    async fn later<T>(&self, goal: Goal, first: &Fresh<T>) -> Result<Option<Goal>, LogError> {
        if first.behind.is_some() {
            return Ok(None);
        }
        let head = self.log.head().await?;
        Ok((first.checkpoint < head).then_some(Goal { after: head, ..goal }))
    }

    /// Asks, and where the answer is too old, once more when the projection is there: the statement may cost
    /// more than a look at the checkpoint.
    async fn at_once_after<'q, T, F>(
        &self,
        projection: &str,
        goal: Goal,
        statement: &impl Fn() -> Statement<'q, F>,
    ) -> Result<Fresh<Vec<T>>, LogError>
    where
        T: Dated + Send + Unpin,
        F: FnMut(PgRow) -> Result<T, sqlx::Error> + Send,
    {
        loop {
            let mut connection = self.readers.acquire().await?;
            let rows = statement().fetch_all(&mut *connection).await?;
            connection.done();
            let checkpoint = rows.first().ok_or(sqlx::Error::RowNotFound)?.checkpoint();
            if goal.is_met(checkpoint) {
                return Ok(Fresh { value: rows, checkpoint, behind: goal.behind(checkpoint) });
            }
            self.begin_at(projection, goal).await?.finish(());
        }
    }

    async fn begin_at(&self, projection: &str, goal: Goal) -> Result<Read, LogError> {
        let mut pause = POLL_MIN;
        loop {
            let mut connection = self.readers.acquire().await?;
            let checkpoint = checkpoints::position(&mut *connection, projection).await?;
            if goal.is_met(checkpoint) {
                return Ok(Read { connection, checkpoint, behind: goal.behind(checkpoint) });
            }
            connection.done();
            sleep(pause).await;
            pause = (pause * 3 / 2).min(POLL_MAX);
        }
    }
}

/// A read that has begun: a connection on which the checkpoint was read. The rows are read on it next.
pub(crate) struct Read {
    connection: ReadConnection,
    checkpoint: Position,
    behind: Option<i64>,
}

impl Read {
    /// Ends the read with its answer.
    pub(crate) fn finish<T>(self, value: T) -> Fresh<T> {
        self.connection.done();
        Fresh { value, checkpoint: self.checkpoint, behind: self.behind }
    }
}

impl Deref for Read {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
