//! The place where a read model is built: a schema of its own, on a connection that sees it first.
//!
//! It holds the read model's tables under their own names, so `apply` is the same there, and a checkpoint and
//! parked events of its own, which nobody takes for those of a projection that runs. Everything disappears
//! with the schema.

use std::time::Duration;

use event_log::{Epoch, EventLog, LogError, Position, checkpoints};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use super::RebuildError;
use super::shape::{Shape, quoted, shape_of};
use crate::runtime::Projection;
use crate::runtime::worker::connect;

/// How long the lock of a rebuild that was killed may outlive it.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Besides the read model's own.
const BOOKKEEPING: [&str; 2] = ["checkpoints", "parked_events"];

pub(super) struct Stage {
    pub(super) connection: PgConnection,
    /// The name of the checkpoint. No projection has it, so whatever goes wrong with the search path moves
    /// nobody's checkpoint.
    pub(super) name: String,
    /// The schemas, in quotes.
    pub(super) schema: String,
    pub(super) live: String,
    /// How far the tables here are.
    pub(super) position: Position,
    shape: Shape,
}

/// The epoch of a checkpoint that nobody else moves.
pub(super) const EPOCH: Epoch = Epoch::ZERO;

impl Stage {
    /// Makes the place, empty. What a rebuild left that was killed is dropped.
    pub(super) async fn open(log: &EventLog, projection: &dyn Projection) -> Result<Self, RebuildError> {
        let mut connection = connect(log).await?;
        lock(&mut connection, projection).await?;
        let live: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut connection).await?;
        let tables = [projection.tables(), &BOOKKEEPING].concat();
        let shape = shape_of(&mut connection, &live, &tables).await?;
        let mut stage = Self {
            connection,
            name: format!("{}@rebuild", projection.name()),
            schema: quoted(&format!("rebuild_{}", projection.name())),
            live: quoted(&live),
            position: log.identity().await?.floor_position,
            shape,
        };
        stage.make_tables().await?;
        Ok(stage)
    }

    async fn make_tables(&mut self) -> Result<(), LogError> {
        let mut tx = self.connection.begin().await?;
        // Names of schemas and tables cannot be parameters.
        let schema = &self.schema;
        for statement in
            [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")]
        {
            sqlx::query(&statement).execute(&mut *tx).await?;
        }
        sqlx::query(
            "SELECT set_config('search_path', $1, false), set_config('maintenance_work_mem', '128MB', false)",
        )
        .bind(format!("{schema}, {}", self.live))
        .execute(&mut *tx)
        .await?;
        for statement in &self.shape.tables {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        sqlx::query("INSERT INTO checkpoints (projection, position, epoch) VALUES ($1, $2, $3)")
            .bind(&self.name)
            .bind(self.position)
            .bind(EPOCH)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Builds the secondary indexes, and tells the planner what is in the tables and that all of it is visible.
    pub(super) async fn build_indexes(&mut self, tables: &[&str]) -> Result<(), LogError> {
        for statement in std::mem::take(&mut self.shape.indexes) {
            sqlx::query(&statement).execute(&mut self.connection).await?;
        }
        for table in tables {
            let analyze = format!("VACUUM (ANALYZE) {}.{}", self.schema, quoted(table));
            sqlx::query(&analyze).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Where the projection that runs stands. It is not there before its first event.
    pub(super) async fn live_position(
        log: &EventLog,
        projection: &dyn Projection,
    ) -> Result<Position, LogError> {
        let floor = log.identity().await?.floor_position;
        Ok(checkpoints::position(log.pool(), projection.name()).await?.max(floor))
    }

    /// Takes everything away again.
    pub(super) async fn abandon(mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        if let Err(error) = sqlx::query(&drop).execute(&mut self.connection).await {
            tracing::warn!(schema = self.schema, %error, "what was built stays until the next rebuild");
        }
    }
}

/// One rebuild of a projection at a time. The lock belongs to the connection that writes: it ends with it,
/// also when the process is killed, and whoever lost it cannot write any more.
async fn lock(connection: &mut PgConnection, projection: &dyn Projection) -> Result<(), RebuildError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(format!("routix rebuild {}", projection.name()))
            .fetch_one(&mut *connection)
            .await?;
        if taken {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(RebuildError::AlreadyRunning { projection: projection.name() });
        }
        sleep(LOCK_POLL).await;
    }
}
