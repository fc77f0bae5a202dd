//! Connections for queries. sqlx's own pool asks a connection whether it lives whenever it is given back, which
//! is a round trip for every query; here one is asked only after it was idle.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use crate::LogError;

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

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        self.0.connect().await
    }

    async fn recycle(&self, connection: &mut PgConnection, usage: &Metrics) -> RecycleResult<sqlx::Error> {
        if usage.last_used() > TRUSTED_IDLE {
            connection.ping().await.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}

impl Readers {
    /// As many connections as `pool` has, to the same database, with further settings of the server.
    pub fn like(pool: &PgPool, settings: &[(&str, &str)]) -> Self {
        let options = pool.connect_options().as_ref().clone();
        let manager = Manager(options.options(settings.iter().copied()));
        // The connection that was used last is given first: its server process still has everything at hand.
        let connections = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        let pool = managed::Pool::builder(manager)
            .max_size(connections)
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(ACQUIRE_TIMEOUT))
            .create_timeout(Some(ACQUIRE_TIMEOUT))
            .recycle_timeout(Some(ACQUIRE_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool that is given a runtime can be built");
        Self(pool)
    }

    /// A connection of one's own, until it is dropped.
    ///
    /// # Errors
    /// `Unavailable` when there is none in time.
    pub async fn acquire(&self) -> Result<ReadConnection, LogError> {
        match self.0.get().await {
            Ok(connection) => Ok(ReadConnection(connection)),
            Err(PoolError::Backend(error)) => Err(error.into()),
            Err(_) => Err(LogError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }
}

/// A borrowed connection.
pub struct ReadConnection(Object<Manager>);

impl std::fmt::Debug for ReadConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadConnection")
    }
}

impl ReadConnection {
    /// Gives the connection back, or throws it away after an answer that says that it may be broken.
    pub fn done<T>(self, answer: Result<T, LogError>) -> Result<T, LogError> {
        if matches!(answer, Err(LogError::Unavailable(_))) {
            drop(Object::take(self.0));
        }
        answer
    }
}

impl Deref for ReadConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for ReadConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
