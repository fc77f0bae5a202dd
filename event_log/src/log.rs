//! The handle to the log that commands, process managers and readers share.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use cqrs_es::Aggregate;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgExecutor, PgPool};
use tokio::sync::watch;
use uuid::Uuid;

use crate::append::Appender;
use crate::cache::{StateCache, StreamKey};
use crate::erase::ERASURE;
use crate::guard::{self, Guard, Standing};
use crate::keyed_locks::KeyedLocks;
use crate::rewound::Rewound;
use crate::upcast::Stored;
use crate::witness::{Held, Witness};
use crate::{
    Connections, EventForms, Interest, LogError, LogHead, LogIdentity, LogKeys, OpenedEvent, PoolUse,
    Position, Provenance, Readers, RecordedEvent, Span, StreamName, Vault, Version, claims, clock, reader,
};

/// Limits of a process.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The shares of the pools.
    pub connections: Connections,
    /// Aggregate states that are kept in memory.
    pub cached_states_max: usize,
    /// The events that the program knows, with the way from their older forms.
    pub event_forms: EventForms,
    /// Tells where in a trace the caller is, W3C Trace Context: what events are written with.
    pub traceparent: fn() -> Option<String>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            connections: Connections::default(),
            cached_states_max: 100_000,
            event_forms: EventForms::default(),
            traceparent: || None,
        }
    }
}

/// A query waits so long for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a pool on the database.
pub async fn connect(url: &str, options: &LogOptions) -> Result<PgPool, LogError> {
    // Leases, rows of work and checkpoints can be made again: they wait for no standby, so that read models go on while
    // there is none. The appender has its own word on that. And a plan that was kept from when `work` was empty looks
    // through the whole table for every row of a later backlog: the statements of this pool are few, so each is planned
    // anew. Other pools say for themselves how they plan.
    let connect = PgConnectOptions::from_str(url)?.application_name("routix");
    let connect =
        connect.options([("synchronous_commit", "local"), ("plan_cache_mode", "force_custom_plan")]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.general)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(connect)
        .await?;
    Ok(pool)
}

/// Brings the schema up to date. Each applied migration left its fingerprint in the database.
///
/// # Errors
/// `OtherSchema` when an applied migration is not the one of this program.
pub async fn migrate(pool: &PgPool) -> Result<(), LogError> {
    sqlx::migrate!("../migrations").run(pool).await.map_err(|error| match error {
        MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => LogError::OtherSchema,
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => LogError::from(error),
        error => LogError::Migration(Box::new(error)),
    })
}

/// The log of one process: appends, loads, reads. Cheap to clone.
#[derive(Clone)]
pub struct EventLog(Arc<Inner>);

struct Inner {
    pool: PgPool,
    readers: Readers,
    connections: Connections,
    vault: Vault,
    appender: Appender,
    cache: StateCache,
    locks: KeyedLocks,
    head: watch::Receiver<Position>,
    guard: Arc<Guard>,
    traceparent: fn() -> Option<String>,
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventLog")
    }
}

impl EventLog {
    /// Starts the appender on a database whose schema is up to date.
    pub fn start(pool: PgPool, keys: &LogKeys, options: &LogOptions) -> Self {
        let (head_sender, head) = watch::channel(Position::ZERO);
        let cache = StateCache::new(options.cached_states_max);
        let guard = Arc::new(Guard::new(cache.clone(), keys.authenticator()));
        let connect = pool.connect_options().as_ref().clone();
        let appender = Appender::start(connect, head_sender, guard.clone());
        Self(Arc::new(Inner {
            vault: Vault::new(pool.clone(), keys, options.event_forms.clone()),
            readers: Readers::like(&pool, options.connections.loads, &[]),
            connections: options.connections,
            pool,
            appender,
            cache,
            locks: KeyedLocks::new(),
            head,
            guard,
            traceparent: options.traceparent,
        }))
    }

    /// Names who remembers the end of the log outside the database. Done before the log is used: from then on
    /// nothing is appended to a log that is behind what the witness holds.
    pub fn set_witness(&self, witness: Arc<dyn Witness>) {
        self.0.guard.set_witness(witness, self.pool().clone());
    }

    /// The result of the last comparison with the witness, and of every later one.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.0.guard.standing()
    }

    /// Compares the log with what a witness holds.
    pub async fn compare(&self, held: &Held) -> Result<Option<Rewound>, LogError> {
        guard::compare(self.pool(), held).await
    }

    /// By how much the log is behind what was published of it; nothing is appended then.
    pub fn rewound(&self) -> Option<Rewound> {
        self.0.guard.shut()
    }

    /// Refuses while the log is behind what was published of it.
    pub(crate) fn admit(&self) -> Result<(), LogError> {
        self.0.guard.shut().map_or(Ok(()), |rewound| Err(rewound.into()))
    }

    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// The shares of the pools of this process.
    pub fn connections(&self) -> Connections {
        self.0.connections
    }

    /// The pool at this moment.
    pub fn pool_use(&self) -> PoolUse {
        PoolUse::of_pool(self.pool())
    }

    /// The connections for loading at this moment.
    pub fn loads_use(&self) -> PoolUse {
        self.0.readers.pool_use()
    }

    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub(crate) fn appender(&self) -> &Appender {
        &self.0.appender
    }

    pub(crate) fn cache(&self) -> &StateCache {
        &self.0.cache
    }

    /// The caller's place in a trace.
    pub(crate) fn traceparent(&self) -> Option<String> {
        (self.0.traceparent)()
    }

    pub(crate) fn locks(&self) -> &KeyedLocks {
        &self.0.locks
    }

    /// Tells the last position that this process appended, after every commit.
    pub fn appended(&self) -> watch::Receiver<Position> {
        self.0.head.clone()
    }

    /// Drops what this process remembers of an aggregate, because somebody else wrote to it.
    pub fn evict<A: Aggregate>(&self, id: &str) {
        if let Ok(aggregate_id) = id.parse() {
            self.cache().evict(&StreamKey { aggregate_type: A::TYPE, aggregate_id });
        }
    }

    /// Drops everything this process remembers of a person, and every cached state with it.
    pub fn forget_person(&self, owner: Uuid) {
        self.vault().forget(owner);
        self.cache().clear();
    }

    /// The holder of a claim.
    pub async fn claimed_by(&self, kind: &str, key: &str) -> Result<Option<Uuid>, LogError> {
        self.admit()?;
        claims::owner_of(self.pool(), kind, &self.vault().claim_hash(kind, key)).await
    }

    /// Gives up every claim of a kind that somebody holds, where the name is not known any more: it was
    /// erased. Reads the whole table, so it is for that only.
    pub async fn release_claims_of(&self, kind: &str, owner: Uuid) -> Result<(), LogError> {
        claims::release_all(self.pool(), kind, owner).await
    }

    pub async fn identity(&self) -> Result<LogIdentity, LogError> {
        reader::identity(self.pool()).await
    }

    /// The last position.
    pub async fn head(&self) -> Result<Position, LogError> {
        reader::head(self.pool()).await
    }

    /// The end of the log now, to be anchored.
    pub async fn log_head(&self) -> Result<LogHead, LogError> {
        let (log_id, position) = self.place().await?;
        let chain = self.chain_at(position).await?.unwrap_or_default();
        Ok(LogHead { log_id, position, chain, at: clock::now() })
    }

    /// What tells the messages in which this log is published from others.
    pub async fn provenance(&self) -> Result<Provenance, LogError> {
        let log_id = self.identity().await?.log_id;
        Ok(self.vault().authenticator().of_log(log_id))
    }

    /// Which log this is, and its last position.
    pub async fn place(&self) -> Result<(Uuid, Position), LogError> {
        reader::place(self.pool()).await
    }

    /// The chain value at a position; `None` when there is no such position.
    pub async fn chain_at(&self, position: Position) -> Result<Option<Vec<u8>>, LogError> {
        reader::chain_at(self.pool(), position).await
    }

    /// Up to `limit` events after `after`, in order, still sealed.
    pub async fn page(&self, after: Position, limit: i64) -> Result<Vec<RecordedEvent>, LogError> {
        let mut connection = self.0.readers.acquire().await?;
        let page = reader::page(&mut *connection, after, limit).await?;
        connection.done();
        Ok(self.admitted(page))
    }

    /// The same as they are stored, also what this log did not write.
    pub async fn stored_page(&self, after: Position, limit: i64) -> Result<Vec<RecordedEvent>, LogError> {
        let mut connection = self.0.readers.acquire().await?;
        let page = reader::page(&mut *connection, after, limit).await?;
        connection.done();
        Ok(page)
    }

    /// The events within a span that are of interest, in order, still sealed. Positions are dense, so the answer is
    /// bounded by the span.
    pub async fn events_between(
        &self,
        executor: impl PgExecutor<'_>,
        span: Span,
        interest: Interest<'_>,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        Ok(self.admitted(reader::events_between(executor, span, interest).await?))
    }

    /// The events at these positions, in order, still sealed.
    pub async fn events_at(&self, positions: &[Position]) -> Result<Vec<RecordedEvent>, LogError> {
        Ok(self.admitted(reader::events_at(self.pool(), positions).await?))
    }

    /// Up to `limit` events of a stream behind a sequence, in order, still sealed.
    pub async fn stream_page(
        &self,
        stream: StreamName<'_>,
        after: Version,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        Ok(self.admitted(reader::stream_page(self.pool(), stream, after, limit).await?))
    }

    /// What this log did not write has no effect on whoever reads.
    fn admitted(&self, events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        let authenticator = self.vault().authenticator();
        events.into_iter().map(|event| authenticator.admit(event)).collect()
    }

    /// A person's events within a span, in order, still sealed.
    pub async fn owner_page(
        &self,
        owner: Uuid,
        span: Span,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        Ok(self.admitted(reader::owner_page(self.pool(), owner, span, limit).await?))
    }

    /// Opens the personal nodes of an event and brings it to the form that this program knows.
    pub async fn open(&self, recorded: Arc<RecordedEvent>) -> Result<OpenedEvent, LogError> {
        if (recorded.aggregate_type.as_str(), recorded.event_type.as_str()) == ERASURE
            && let Ok(person) = recorded.aggregate_id.parse()
        {
            // Whoever reads on must not read by a key from before.
            self.vault().forget(person);
        }
        let stored = Stored {
            aggregate_type: &recorded.aggregate_type,
            aggregate_id: &recorded.aggregate_id,
            sequence: recorded.sequence,
            event_type: &recorded.event_type,
            event_version: &recorded.event_version,
            owner: recorded.owner_id,
        };
        let payload = self.vault().read(&stored, &recorded.payload).await?.into_owned();
        Ok(OpenedEvent { recorded, payload })
    }

    /// An event of which only the metadata is wanted: its payload stays closed and is null.
    pub fn unopened(recorded: Arc<RecordedEvent>) -> OpenedEvent {
        OpenedEvent { recorded, payload: "null".to_owned() }
    }
}
