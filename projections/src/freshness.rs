//! Read your writes: every query says how fresh it must be, and every answer says how fresh it is.
//!
//! The checkpoint of the projection is read before the rows, on the same connection, so an answer is never
//! older than it says. A read that must be newer waits, without a connection, until the projection is there
//! or patience ends. A lookup that finds nothing looks again once the projection has reached the log.

use std::time::Duration;

use event_log::{EventLog, LogError, Position, Readers, checkpoints};
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, sleep};

use crate::templates;

/// How long a read waits for its projection.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL_MIN: Duration = Duration::from_millis(2);
const POLL_MAX: Duration = Duration::from_millis(25);

/// How fresh an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// As the read model has it.
    Now,
    /// Not before the event at this position was applied.
    After(Position),
}

impl Wanted {
    fn position(self) -> Position {
        match self {
            Self::Now => Position::new(0),
            Self::After(position) => position,
        }
    }
}

/// An answer and how fresh it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh<T> {
    pub value: T,
    /// The answer holds at least every event up to here.
    pub checkpoint: Position,
    /// How many events the answer lacks of what was wanted, when waiting for them took too long.
    pub behind: Option<i64>,
}

impl<T> Fresh<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fresh<U> {
        Fresh { value: f(self.value), checkpoint: self.checkpoint, behind: self.behind }
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
        Self { readers: Readers::like(pool, templates::SEARCH_OPTIONS), log }
    }

    /// The log itself, for what read models leave in it.
    pub(crate) fn log(&self) -> &EventLog {
        &self.log
    }

    /// Asks a read model.
    pub(crate) async fn read<T>(
        &self,
        projection: &str,
        wanted: Wanted,
        query: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, LogError>>,
    ) -> Result<Fresh<T>, LogError> {
        self.read_after(projection, wanted.position(), Instant::now() + PATIENCE, &query).await
    }

    /// Asks a read model for one thing. That it is not there is believed only once the projection has
    /// reached the end of the log.
    pub(crate) async fn lookup<T>(
        &self,
        projection: &str,
        wanted: Wanted,
        query: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<Option<T>, LogError>>,
    ) -> Result<Fresh<Option<T>>, LogError> {
        let deadline = Instant::now() + PATIENCE;
        let first = self.read_after(projection, wanted.position(), deadline, &query).await?;
        if first.value.is_some() || first.behind.is_some() {
            return Ok(first);
        }
        let head = self.log.head().await?;
        if first.checkpoint >= head {
            return Ok(first);
        }
        self.read_after(projection, head, deadline, &query).await
    }

    /// Like `read`, for a query that reads the checkpoint and the rows in one statement.
    pub(crate) async fn read_at_once<T>(
        &self,
        projection: &str,
        wanted: Wanted,
        query: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<(Position, T), LogError>>,
    ) -> Result<Fresh<T>, LogError> {
        self.at_once_after(projection, wanted.position(), Instant::now() + PATIENCE, &query).await
    }

    /// Like `lookup`, for a query that reads the checkpoint and the rows in one statement.
    pub(crate) async fn lookup_at_once<T>(
        &self,
        projection: &str,
        wanted: Wanted,
        query: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<(Position, Option<T>), LogError>>,
    ) -> Result<Fresh<Option<T>>, LogError> {
        let deadline = Instant::now() + PATIENCE;
        let first = self.at_once_after(projection, wanted.position(), deadline, &query).await?;
        if first.value.is_some() || first.behind.is_some() {
            return Ok(first);
        }
        let head = self.log.head().await?;
        if first.checkpoint >= head {
            return Ok(first);
        }
        self.at_once_after(projection, head, deadline, &query).await
    }

    /// Asks, and where the answer is too old, once more when the projection is there: what is asked may cost
    /// more than looking at a checkpoint.
    async fn at_once_after<T>(
        &self,
        projection: &str,
        after: Position,
        deadline: Instant,
        query: &impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<(Position, T), LogError>>,
    ) -> Result<Fresh<T>, LogError> {
        loop {
            let mut connection = self.readers.acquire().await?;
            let answer = query(&mut connection).await;
            let (checkpoint, value) = connection.done(answer)?;
            if checkpoint >= after || Instant::now() >= deadline {
                let behind = (checkpoint < after).then_some(after.since(checkpoint));
                return Ok(Fresh { value, checkpoint, behind });
            }
            self.read_after(projection, after, deadline, &|_| async { Ok(()) }.boxed()).await?;
        }
    }

    async fn read_after<T>(
        &self,
        projection: &str,
        after: Position,
        deadline: Instant,
        query: &impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, LogError>>,
    ) -> Result<Fresh<T>, LogError> {
        let mut pause = POLL_MIN;
        loop {
            let mut connection = self.readers.acquire().await?;
            let answer = async {
                let checkpoint = checkpoints::position(&mut *connection, projection).await?;
                let is_time = checkpoint >= after || Instant::now() >= deadline;
                Ok((checkpoint, if is_time { Some(query(&mut connection).await?) } else { None }))
            };
            let answer = answer.await;
            if let (checkpoint, Some(value)) = connection.done(answer)? {
                let behind = (checkpoint < after).then_some(after.since(checkpoint));
                return Ok(Fresh { value, checkpoint, behind });
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(POLL_MAX);
        }
    }
}
