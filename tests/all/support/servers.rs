//! The servers under the tests: one Postgres for all, one NATS each.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use embedded::{Nats, Options, Postgres};
use event_log::clock;
use sqlx::{Connection, Executor, PgConnection};

/// Data folders of test runs that have ended are removed by the next one.
fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        const PREFIX: &str = "routix-tests-";
        let temp = std::env::temp_dir();
        for entry in std::fs::read_dir(&temp).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.parse::<u32>().ok());
            if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = temp.join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        folder
    })
}

/// A folder of its own.
pub fn folder(name: &str) -> PathBuf {
    let folder = scratch().join(format!("{name}-{}", clock::new_id().simple()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}

/// The shared server. It ends with the test binary.
fn postgres_url() -> String {
    static POSTGRES: OnceLock<Mutex<Postgres>> = OnceLock::new();
    let server = POSTGRES.get_or_init(|| {
        let options = Options { data_dir: scratch().join("shared"), durable: false };
        Mutex::new(Postgres::start(&options).expect("Postgres starts"))
    });
    server.lock().unwrap_or_else(PoisonError::into_inner).url()
}

/// A new, empty database.
pub async fn database() -> String {
    let url = tokio::task::spawn_blocking(postgres_url).await.unwrap();
    let name = format!("test_{}", clock::new_id().simple());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A NATS server of the test's own.
pub async fn nats() -> Nats {
    let options = Options { data_dir: folder("nats"), durable: false };
    tokio::task::spawn_blocking(move || Nats::start(&options).expect("NATS starts")).await.unwrap()
}
