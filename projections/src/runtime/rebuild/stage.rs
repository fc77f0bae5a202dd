//! The place where a read model is built: a schema of its own, on a connection that sees it first.
//!
//! It holds the read model's tables under their own names, so `apply` is the same there, and a checkpoint and
//! parked events of its own, which nobody takes for those of a projection that runs. Everything disappears
//! with the schema.

use std::time::Duration;

use event_log::{Epoch, EventLog, LogError, Position, checkpoints};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use super::error::RebuildError;
use super::shape::{Shape, quoted, shape_of};
use crate::runtime::connect::connect;
use crate::runtime::projection::Projection;

/// The lock of a killed rebuild may outlive it for so long.
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
    /// The position of the tables here.
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
        let live = sqlx::query_scalar!(r#"SELECT current_schema()::text AS "schema!""#)
            .fetch_one(&mut connection)
            .await?;
        let tables = [projection.spec().tables, &BOOKKEEPING].concat();
        let shape = shape_of(&mut connection, &live, &tables).await?;
        let mut stage = Self {
            connection,
            name: format!("{}@rebuild", projection.spec().name),
            schema: quoted(&format!("rebuild_{}", projection.spec().name)),
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
            // dynamic: as above.
            sqlx::query(&statement).execute(&mut *tx).await?;
        }
        sqlx::query!(
            r#"
            SELECT
                set_config('search_path', $1, false) AS path,
                set_config('maintenance_work_mem', '128MB', false) AS memory
            "#,
            format!("{schema}, {}", self.live),
        )
        .fetch_one(&mut *tx)
        .await?;
        for statement in &self.shape.tables {
            // dynamic: the statements come from the catalogue of the live tables.
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        sqlx::query!(
            r#"INSERT INTO checkpoints (projection, position, epoch) VALUES ($1, $2, $3)"#,
            self.name,
            self.position.get(),
            EPOCH.get(),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Builds the secondary indexes, and tells the planner what is in the tables and that all of it is visible.
    pub(super) async fn build_indexes(&mut self, tables: &[&str]) -> Result<(), LogError> {
        for statement in std::mem::take(&mut self.shape.indexes) {
            // dynamic: the statements come from the catalogue of the live tables.
            sqlx::query(&statement).execute(&mut self.connection).await?;
        }
        for table in tables {
            let analyze = format!("VACUUM (ANALYZE) {}.{}", self.schema, quoted(table));
            // dynamic: names of schemas and tables cannot be parameters.
            sqlx::query(&analyze).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// The position of the live projection. The checkpoint is not there before its first event.
    pub(super) async fn live_position(
        log: &EventLog,
        projection: &dyn Projection,
    ) -> Result<Position, LogError> {
        let floor = log.identity().await?.floor_position;
        Ok(checkpoints::position(log.pool(), projection.spec().name).await?.max(floor))
    }

    /// Takes everything away again.
    pub(super) async fn abandon(mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        // dynamic: the name of a schema cannot be a parameter.
        if let Err(error) = sqlx::query(&drop).execute(&mut self.connection).await {
            tracing::warn!(schema = self.schema, %error, "what was built stays until the next rebuild");
        }
    }
}

/// Lets in one rebuild of a projection at a time. The lock belongs to the connection that writes: it ends with it,
/// also when the process is killed, and whoever lost it cannot write any more.
async fn lock(connection: &mut PgConnection, projection: &dyn Projection) -> Result<(), RebuildError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let taken = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "taken!""#,
            format!("routix rebuild {}", projection.spec().name)
        )
        .fetch_one(&mut *connection)
        .await?;
        if taken {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(RebuildError::AlreadyRunning { projection: projection.spec().name });
        }
        sleep(LOCK_POLL).await;
    }
}
