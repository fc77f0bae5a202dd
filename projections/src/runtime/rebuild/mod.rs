//! Builds a read model anew beside the live one, compares the two, and swaps them in one transaction.
//!
//! Queries are answered and the live worker works all the time. Nothing is told to anybody: `after_commit`
//! belongs to the worker. A rebuild that dies leaves a schema that nobody reads; the next one drops it.

mod compare;
mod error;
mod read_ahead;
mod shape;
mod stage;
mod swap;

use std::collections::HashSet;

use event_log::{EventLog, Position, Span};
use serde::Serialize;

pub use compare::{Comparison, TableSum};
pub use error::RebuildError;

use self::read_ahead::{PAGE_POSITIONS_MAX, ReadAhead};
use self::stage::{EPOCH, Stage};
use self::swap::Turn;
use super::batch::Batch;
use super::projection::Projection;

/// A stage that the live worker ran away from is caught up so often before the rebuild gives up.
const CATCH_UPS_MAX: u32 = 20;

/// The expectations of a rebuild.
#[derive(Debug, Clone, Copy)]
pub struct RebuildOptions {
    /// The rows are to be other ones than before: a new version of the program means something else by the
    /// same events. The tables are swapped though they differ, and are built up to the end of the log.
    pub changed: bool,
    /// The positions of the first page. The pages behind it grow for as long as their events are small. The swap
    /// catches up with so many at most, because the live worker waits for it.
    pub page_positions: i64,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { changed: false, page_positions: 500 }
    }
}

/// The step at which a rebuild is, for its watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildStep {
    /// Events up to `position` are applied, of those up to `target`.
    Applied {
        position: Position,
        target: Position,
    },
    Indexing,
    Comparing,
    Swapping,
}

/// The outcome of a rebuild that was swapped in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The position at which the tables were swapped.
    pub position: Position,
    /// The position of both sides when they were compared; that of the live side where the rows were to
    /// be other ones.
    pub compared_at: Position,
    pub tables: Vec<Comparison>,
    /// Events that could not be applied.
    pub parked: i64,
}

/// Rebuilds a read model. `watch` is told about every step.
///
/// # Errors
/// The live read model is untouched by all of them.
pub async fn rebuild(
    log: &EventLog,
    projection: &dyn Projection,
    options: RebuildOptions,
    watch: &(dyn Fn(RebuildStep) + Send + Sync),
) -> Result<Rebuilt, RebuildError> {
    if projection.spec().tables.is_empty() {
        return Err(RebuildError::NoTables { projection: projection.spec().name });
    }
    let stage = Stage::open(log, projection).await?;
    let mut rebuild = Rebuild { log, projection, options, watch, stage };
    let result = rebuild.run().await;
    if result.is_err() {
        rebuild.stage.abandon().await;
    }
    result
}

struct Rebuild<'a> {
    log: &'a EventLog,
    projection: &'a dyn Projection,
    options: RebuildOptions,
    watch: &'a (dyn Fn(RebuildStep) + Send + Sync),
    stage: Stage,
}

impl Rebuild<'_> {
    async fn run(&mut self) -> Result<Rebuilt, RebuildError> {
        self.catch_up_with_goal().await?;
        (self.watch)(RebuildStep::Indexing);
        self.stage.build_indexes(self.projection.spec().tables).await?;
        self.catch_up_with_goal().await?;
        (self.watch)(RebuildStep::Comparing);
        let (compared_at, tables) = self.compare().await?;
        if !self.options.changed && tables.iter().any(Comparison::differs) {
            return Err(RebuildError::Differs { compared_at, tables });
        }
        for _ in 0..CATCH_UPS_MAX {
            (self.watch)(RebuildStep::Swapping);
            match self.stage.swap(self.log, self.projection, self.options.page_positions).await? {
                Turn::Swapped { position, parked } => {
                    return Ok(Rebuilt { position, compared_at, tables, parked });
                }
                Turn::Behind(position) => self.catch_up(position).await?,
                Turn::Busy => return Err(RebuildError::Busy),
            }
        }
        Err(RebuildError::Busy)
    }

    /// Comes as near to the goal as it can be said to be: it moves on all the time. The goal is where the
    /// live projection stands, because rows can only be compared at one position; where they are to differ,
    /// it is the end of the log.
    async fn catch_up_with_goal(&mut self) -> Result<(), RebuildError> {
        loop {
            let goal = if self.options.changed {
                self.log.head().await?
            } else {
                Stage::live_position(self.log, self.projection).await?
            };
            let missing = goal.since(self.stage.position);
            self.catch_up(goal).await?;
            if missing <= PAGE_POSITIONS_MAX {
                return Ok(());
            }
        }
    }

    async fn catch_up(&mut self, target: Position) -> Result<(), RebuildError> {
        let from = self.stage.position;
        if from >= target {
            return Ok(());
        }
        let (spec, span) = (self.projection.spec(), Span { after: from, upto: target });
        let mut pages = ReadAhead::start(self.log, spec, span, self.options.page_positions);
        let mut batch = Batch {
            projection: self.projection,
            name: &self.stage.name,
            log: self.log,
            connection: &mut self.stage.connection,
            epoch: EPOCH,
            position: from,
            passed: from,
            parked: HashSet::new(),
        };
        batch.learn_parked().await?;
        while batch.position < target {
            let page = pages.next().await?.ok_or(RebuildError::Interrupted)?;
            batch.apply_opened(page.events, page.upto).await?;
            batch.flush().await?;
            (self.watch)(RebuildStep::Applied { position: batch.position, target });
        }
        self.stage.position = batch.position;
        Ok(())
    }

    /// Sums up both sides at one position: the live side in a snapshot that shows its checkpoint as well,
    /// the other side once it has come exactly there.
    async fn compare(&mut self) -> Result<(Position, Vec<Comparison>), RebuildError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut snapshot = self.log.pool().begin_with(begin).await?;
        let name = self.projection.spec().name;
        let floor = self.log.identity().await?.floor_position;
        let position = event_log::checkpoints::position(&mut *snapshot, name).await?.max(floor);
        if !self.options.changed {
            if position < self.stage.position {
                return Err(RebuildError::Interrupted);
            }
            self.catch_up(position).await?;
        }
        let tables = self.projection.spec().tables;
        let (live, rebuilt) = tokio::try_join!(
            compare::sum(&mut snapshot, &self.stage.live, tables),
            compare::sum(&mut self.stage.connection, &self.stage.schema, tables),
        )?;
        let pairs = tables.iter().zip(live).zip(rebuilt);
        let compared = pairs.map(|((table, live), rebuilt)| Comparison { table, live, rebuilt }).collect();
        Ok((position, compared))
    }
}
