//! One Postgres for the test binary, and a database for each test: a copy of one that was migrated once.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use embedded::{Options, Postgres};
use event_log::{LogOptions, clock};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

const PREFIX: &str = "routix-testing-";

/// The shared server. It ends with the test binary.
fn server_url() -> String {
    static SERVER: OnceLock<Mutex<(Postgres, TempDir)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let folder = folder();
        let options = Options { data_dir: folder.path().to_owned(), durable: false };
        Mutex::new((Postgres::start(&options).unwrap(), folder))
    });
    server.lock().unwrap_or_else(PoisonError::into_inner).0.url()
}

/// A folder that names its process. Those of processes that have ended are removed by the next one.
pub fn folder() -> TempDir {
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
    tempfile::Builder::new().prefix(&prefix).tempdir_in(temp).unwrap()
}

/// A database with the schema and nothing in it.
pub async fn database() -> String {
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    let server = tokio::task::spawn_blocking(server_url).await.unwrap();
    let url_of = |name: &str| format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    let mut connection = PgConnection::connect(&server).await.unwrap();
    TEMPLATE
        .get_or_init(async || {
            connection.execute("CREATE DATABASE migrated").await.unwrap();
            let pool = event_log::connect(&url_of("migrated"), &LogOptions::default()).await.unwrap();
            event_log::migrate(&pool).await.unwrap();
            // A database with connections cannot be copied.
            pool.close().await;
        })
        .await;
    let name = format!("test_{}", clock::new_id().simple());
    connection.execute(format!("CREATE DATABASE {name} TEMPLATE migrated").as_str()).await.unwrap();
    url_of(&name)
}
