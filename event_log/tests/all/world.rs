//! One Postgres for all tests, a database for each, and as many "processes" on it as a test wants.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use embedded::{Options, Postgres};
use event_log::{
    Actor, CommandContext, Committed, Connections, EventLog, Expected, LogError, LogOptions, LogReader,
    MasterKey, Position, ReceiptLife, clock, verify,
};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::Instant;
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};

pub const ALICE: Uuid = Uuid::from_u128(0xA11CE);
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How many wait for an advisory lock in this database.
pub const ADVISORY_WAITS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The shared server. It ends with the test binary.
fn server_url() -> String {
    static SERVER: OnceLock<Mutex<Postgres>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        Mutex::new(Postgres::start(&Options { data_dir: data_dir(), durable: false }).unwrap())
    });
    server.lock().unwrap_or_else(PoisonError::into_inner).url()
}

/// A folder for this run. Those of runs that have ended are removed by the next one.
fn data_dir() -> PathBuf {
    const PREFIX: &str = "event-log-tests-";
    let temp = std::env::temp_dir();
    for entry in std::fs::read_dir(&temp).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let run = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if run.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another run may be removing it at the same moment.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(temp).unwrap().keep()
}

/// A database with the schema and nothing in it.
pub struct World {
    url: String,
    /// A pool of the test's own, for looking at tables and tampering with them.
    pub pool: PgPool,
}

impl World {
    pub async fn new() -> Self {
        let server = tokio::task::spawn_blocking(server_url).await.unwrap();
        let name = format!("test_{}", clock::new_id().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
        let (host, _) = server.rsplit_once('/').unwrap();
        let url = format!("{host}/{name}");
        let pool = PgPool::connect(&url).await.unwrap();
        event_log::migrate(&pool).await.unwrap();
        MasterKey::from_secret(SECRET).unlock(&pool).await.unwrap();
        Self { url, pool }
    }

    /// A process of its own: connections, appender, cache and keys are shared with nobody.
    pub async fn process(&self) -> EventLog {
        let options = LogOptions {
            connections: Connections { general: 5, loads: 5, queries: 5 },
            cached_states_max: 1000,
            ..LogOptions::default()
        };
        let pool = event_log::connect(&self.url, &options).await.unwrap();
        EventLog::start(pool, &MasterKey::from_secret(SECRET).unlock(&self.pool).await.unwrap(), &options)
    }

    /// Makes all events that somebody stored beside the log such as the log would have written.
    pub async fn authenticate(&self) {
        let authenticator = MasterKey::from_secret(SECRET).unlock(&self.pool).await.unwrap().authenticator();
        let events = LogReader::new(self.pool.clone()).page(Position::ZERO, 1000).await.unwrap();
        let mut tx = self.pool.begin().await.unwrap();
        tx.execute("SET LOCAL session_replication_role = replica").await.unwrap();
        for event in events {
            sqlx::query("UPDATE events SET authentication = $2 WHERE position = $1")
                .bind(event.position.get())
                .bind(authenticator.of_event(&event.digest()))
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn run(&self, statement: &str) {
        self.pool.execute(statement).await.unwrap();
    }

    /// How many events a jar has.
    pub async fn events_of(&self, jar: Uuid) -> i64 {
        self.number(&format!("SELECT count(*) FROM events WHERE aggregate_id = '{jar}'")).await
    }

    /// The chain verifies, positions are 1..n, and in every stream sequences are 1..m and rise with them.
    pub async fn assert_sound(&self) {
        let report = verify(&self.pool, Expected::default()).await.unwrap();
        assert_eq!(report.fault, None);
        assert_eq!(report.head, report.events);
        let astray = "SELECT count(*) FROM (SELECT sequence, row_number() OVER (\
             PARTITION BY aggregate_type, aggregate_id ORDER BY position) AS place FROM events) AS e \
             WHERE sequence <> place";
        assert_eq!(self.number(astray).await, 0, "sequences do not follow positions");
    }
}

pub const SECRET: &[u8] = b"a secret of tests";

/// A command of Alice's under a new id.
pub fn new_command() -> CommandContext {
    command(clock::new_id())
}

/// A command of Alice's under an id that may have been used before.
pub fn command(command_id: Uuid) -> CommandContext {
    CommandContext {
        actor: Actor::User(ALICE),
        owner: Some(ALICE),
        command_id,
        fingerprint: b"this body".to_vec(),
        receipt: ReceiptLife::Client,
        correlation_id: command_id,
        causation_id: None,
        ip: None,
        user_agent: None,
        traceparent: None,
        language: None,
    }
}

/// One command to one jar.
pub async fn tell(log: &EventLog, jar: Uuid, what: JarCommand) -> Result<Committed, Failure> {
    tell_as(log, new_command(), jar, what).await
}

pub async fn tell_as(
    log: &EventLog,
    mut context: CommandContext,
    jar: Uuid,
    what: JarCommand,
) -> Result<Committed, Failure> {
    if let JarCommand::Note(person, _) = what {
        context.owner = Some(person);
    }
    log.unit::<Failure>(context).execute::<Jar>(jar, [what]).commit().await
}

pub fn is_passing(error: &Failure) -> bool {
    matches!(error, Failure::Log(LogError::Unavailable(_) | LogError::OutcomeUnknown))
}

/// Waits until `condition` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        // A pause between looks, not a wait for a time to pass: the condition decides.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
