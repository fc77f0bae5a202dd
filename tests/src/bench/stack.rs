//! The servers of a measurement: Postgres with `fsync` on and NATS, on this machine's disk.

use embedded::{Nats, Options, Postgres};
use event_log::{EventForms, EventLog, LogOptions, MasterKey, clock};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tempfile::TempDir;

/// The secret of all processes of a measurement.
pub const SECRET: &str = "a secret for measurements, long enough to be one";

/// Servers of their own, gone when this is dropped.
#[derive(Debug)]
pub struct Stack {
    pub postgres: Postgres,
    pub nats: Option<Nats>,
    pub folder: TempDir,
}

impl Stack {
    /// Postgres alone.
    pub async fn postgres() -> Self {
        Self::start(false).await
    }

    /// Postgres and NATS.
    pub async fn with_nats() -> Self {
        Self::start(true).await
    }

    async fn start(with_nats: bool) -> Self {
        tokio::task::spawn_blocking(move || {
            let folder = tempfile::Builder::new().prefix("routix-bench-").tempdir().unwrap();
            let options = Options { data_dir: folder.path().to_owned(), durable: true };
            let postgres = Postgres::start(&options).unwrap();
            let nats = with_nats.then(|| Nats::start(&options).unwrap());
            Self { postgres, nats, folder }
        })
        .await
        .unwrap()
    }

    /// A new, empty database.
    pub async fn database(&self) -> String {
        let url = self.postgres.url();
        let name = format!("bench_{}", clock::new_id().simple());
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        format!("{server}/{name}")
    }

    /// A new database with the schema in it.
    pub async fn migrated(&self) -> String {
        let url = self.database().await;
        let pool = PgPool::connect(&url).await.unwrap();
        event_log::migrate(&pool).await.unwrap();
        pool.close().await;
        url
    }
}

/// The log of one process.
pub async fn log(url: &str) -> EventLog {
    let event_forms = domain::stored_forms().iter().fold(EventForms::default(), |known, forms| {
        known.with(forms.aggregate_type, forms.snapshot_form, forms.versions, forms.upcasters).unwrap()
    });
    let options = LogOptions { event_forms, ..LogOptions::default() };
    let pool = event_log::connect(url, &options).await.unwrap();
    let keys = MasterKey::from_secret(SECRET.as_bytes()).unlock(&pool).await.unwrap();
    EventLog::start(pool, &keys, &options)
}
