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

/// A Postgres server of the test's own, whose data can be put back to an earlier state.
#[derive(Debug)]
pub struct OwnPostgres {
    server: Postgres,
    data: PathBuf,
}

impl OwnPostgres {
    pub async fn start() -> Self {
        let data_dir = folder("postgres");
        let options = Options { data_dir: data_dir.clone(), durable: false };
        let server =
            tokio::task::spawn_blocking(move || Postgres::start(&options).expect("Postgres starts")).await;
        let data = data_dir.join("postgres").canonicalize().unwrap().join("data");
        Self { server: server.unwrap(), data }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Stops the server, lets `meanwhile` work on its data folder, and starts it again.
    async fn while_stopped(self, meanwhile: impl FnOnce(&Path) + Send + 'static) -> Self {
        let mut own = self;
        tokio::task::spawn_blocking(move || {
            own.server.stop().unwrap();
            meanwhile(&own.data);
            own.server.restart().unwrap();
            own
        })
        .await
        .unwrap()
    }

    /// Copies the data as it is now.
    pub async fn backed_up(self) -> (Self, PathBuf) {
        let copy = folder("backup").join("data");
        let target = copy.clone();
        (self.while_stopped(move |data| copy_all(data, &target)).await, copy)
    }

    /// Puts an earlier copy back.
    pub async fn restored(self, copy: &Path) -> Self {
        let copy = copy.to_owned();
        self.while_stopped(move |data| put_back(&copy, data)).await
    }
}

/// Where the server in this folder keeps its streams.
pub fn store_of(data_dir: &Path) -> PathBuf {
    data_dir.join("nats").canonicalize().expect("the server was started").join("store")
}

/// Copies a folder with owners and modes: servers run as another account where the test is root.
pub fn copy_all(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success(), "{} is copied", from.display());
}

/// Replaces a folder by an earlier copy of it.
pub fn put_back(copy: &Path, folder: &Path) {
    std::fs::remove_dir_all(folder).unwrap();
    copy_all(copy, folder);
}

/// A NATS server of the test's own.
pub async fn nats() -> Nats {
    nats_in(folder("nats")).await
}

/// A NATS server with its data in a folder that the test knows.
pub async fn nats_in(data_dir: PathBuf) -> Nats {
    let options = Options { data_dir, durable: false };
    tokio::task::spawn_blocking(move || Nats::start(&options).expect("NATS starts")).await.unwrap()
}
