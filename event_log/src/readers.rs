//! Connections for queries. sqlx's own pool asks a connection whether it lives whenever it is given back, which
//! is a round trip for every query; here one is asked only after it was idle.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use crate::{LogError, PoolUse};

/// A connection that was idle for no longer is taken to be alive.
const TRUSTED_IDLE: Duration = Duration::from_millis(200);
/// A query waits so long for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A bounded number of connections, made when they are needed. Cheap to clone.
#[derive(Clone)]
pub struct Readers(managed::Pool<Manager>);

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("status", &self.0.status()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Manager(PgConnectOptions);

/// A connection of the pool.
#[derive(Debug)]
struct Kept {
    connection: PgConnection,
    /// Set while somebody has it, and after a read that did not come to its end.
    is_doubtful: bool,
}

impl managed::Manager for Manager {
    type Type = Kept;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Kept, sqlx::Error> {
        Ok(Kept { connection: self.0.connect().await?, is_doubtful: false })
    }

    async fn recycle(&self, kept: &mut Kept, usage: &Metrics) -> RecycleResult<sqlx::Error> {
        if kept.is_doubtful {
            return Err(RecycleError::message("a read did not come to its end"));
        }
        if usage.last_used() > TRUSTED_IDLE {
            kept.connection.ping().await.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}

impl Readers {
    /// So many connections to the database of `pool`, with further settings of the server.
    pub fn like(pool: &PgPool, connections_max: u32, settings: &[(&str, &str)]) -> Self {
        let options = pool.connect_options().as_ref().clone();
        // The statements of these are many and small: their plans are kept.
        let options = options.options([("plan_cache_mode", "auto")]);
        let manager = Manager(options.options(settings.iter().copied()));
        // The connection that was used last is given first: its server process still has everything at hand.
        let pool = managed::Pool::builder(manager)
            .max_size(usize::try_from(connections_max).unwrap_or(1))
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(ACQUIRE_TIMEOUT))
            .create_timeout(Some(ACQUIRE_TIMEOUT))
            .recycle_timeout(Some(ACQUIRE_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool that is given a runtime can be built");
        Self(pool)
    }

    /// The connections at this moment.
    pub fn pool_use(&self) -> PoolUse {
        let status = self.0.status();
        PoolUse { max: status.max_size, open: status.size, idle: status.available }
    }

    /// A connection of one's own, until it is dropped.
    ///
    /// # Errors
    /// `Unavailable` when there is none in time.
    pub async fn acquire(&self) -> Result<ReadConnection, LogError> {
        match self.0.get().await {
            Ok(mut kept) => {
                kept.is_doubtful = true;
                Ok(ReadConnection(kept))
            }
            Err(PoolError::Backend(error)) => Err(error.into()),
            Err(_) => Err(LogError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }
}

/// A borrowed connection. A connection that is dropped without [`ReadConnection::done`], after an error or in the
/// middle of a query, may be broken and is not used again.
pub struct ReadConnection(Object<Manager>);

impl std::fmt::Debug for ReadConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadConnection")
    }
}

impl ReadConnection {
    /// Gives the connection back after an answer that was read to its end.
    pub fn done(mut self) {
        self.0.is_doubtful = false;
    }
}

impl Deref for ReadConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0.connection
    }
}

impl DerefMut for ReadConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0.connection
    }
}
