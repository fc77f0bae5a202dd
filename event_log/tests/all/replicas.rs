//! Synchronous standbys: what was acknowledged is on one of them, whatever happens to the primary while they are away.

use std::path::{Path, PathBuf};
use std::process::Command;

use embedded::{Options, Postgres};
use event_log::work::{self, Known};
use event_log::{EventLog, LogOptions, MasterKey, clock, leases};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::jar::{Failure, JarCommand};
use crate::world::{PATIENCE, SECRET, command, eventually, tell_as};

/// More rounds: `ROUTIX_REPLICA_ROUNDS`.
const ROUNDS: u32 = 1;
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

struct Server {
    postgres: Postgres,
    data: PathBuf,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("event-log-tests-").tempdir().unwrap();
        let options = Options { data_dir: folder.path().to_owned(), durable: false };
        let postgres = Postgres::start(&options).unwrap();
        let data = folder.path().join("postgres").canonicalize().unwrap().join("data");
        Self { postgres, data, _folder: folder }
    }
}

/// A primary and two standbys, one of which has to have a commit before it is acknowledged.
struct Cluster {
    primary: Server,
    standbys: [Server; 2],
    password: String,
}

impl Cluster {
    async fn start() -> Self {
        let cluster = tokio::task::spawn_blocking(|| {
            let mut primary = Server::start();
            let url = primary.postgres.url();
            let (password, port) = password_and_port(&url);
            primary.postgres.stop().unwrap();
            let standbys = ["one", "two"].map(|name| {
                let mut standby = Server::start();
                standby.postgres.stop().unwrap();
                std::fs::remove_dir_all(&standby.data).unwrap();
                copy(&primary.data, &standby.data);
                let source = format!(
                    "primary_conninfo = 'host=127.0.0.1 port={port} user=routix password={password} \
                     application_name={name}'\n"
                );
                add(&standby.data.join("postgresql.auto.conf"), &source);
                add(&standby.data.join("standby.signal"), "");
                standby
            });
            let names = "synchronous_standby_names = 'ANY 1 (one, two)'\n";
            add(&primary.data.join("postgresql.auto.conf"), names);
            let mut cluster = Self { primary, standbys, password };
            cluster.primary.postgres.restart().unwrap();
            cluster.bring_standbys_back();
            cluster
        });
        cluster.await.unwrap()
    }

    fn bring_standbys_back(&mut self) {
        for standby in &mut self.standbys {
            standby.postgres.restart().unwrap();
        }
    }

    /// Nobody has a commit beside the primary from now on.
    async fn without_standbys(self) -> Self {
        let mut own = self;
        tokio::task::spawn_blocking(move || {
            for standby in &mut own.standbys {
                standby.postgres.stop().unwrap();
            }
            own
        })
        .await
        .unwrap()
    }

    /// The primary is gone for good, and the first standby takes its place.
    async fn promoted(self) -> (Self, PgConnection) {
        let mut own = self;
        let own = tokio::task::spawn_blocking(move || {
            // It died with its backend, or is stopped while commits wait.
            let _ = own.primary.postgres.stop();
            own.bring_standbys_back();
            own
        });
        let own = own.await.unwrap();
        let url = own.standbys[0].postgres.url();
        let mut standby = PgConnection::connect(&with_password(&url, &own.password)).await.unwrap();
        standby.execute("SELECT pg_promote(true)").await.unwrap();
        (own, standby)
    }

    fn url(&self) -> String {
        self.primary.postgres.url()
    }
}

fn password_and_port(url: &str) -> (String, String) {
    let (account, rest) = url.strip_prefix("postgres://routix:").unwrap().split_once('@').unwrap();
    let port = rest.split('/').next().unwrap().rsplit(':').next().unwrap();
    (account.to_owned(), port.to_owned())
}

fn with_password(url: &str, password: &str) -> String {
    format!("postgres://routix:{password}@{}", url.split_once('@').unwrap().1)
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Adds to a file that the server reads, under the account that it runs as.
fn add(path: &Path, text: &str) {
    use std::io::Write;
    let folder = path.parent().unwrap();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let same = Command::new("chown").arg("--reference").arg(folder).arg(path).status().unwrap();
    assert!(same.success());
}

async fn process(url: &str) -> EventLog {
    let options = LogOptions::default();
    let pool = event_log::connect(url, &options).await.unwrap();
    event_log::migrate(&pool).await.unwrap();
    let keys = MasterKey::from_secret(SECRET).unlock(&pool).await.unwrap();
    EventLog::start(pool, &keys, &options)
}

/// So many commits wait for a standby.
async fn wait_for_standbys(url: &str, commits: i64) {
    eventually("commits wait for a standby", || async {
        let Ok(mut connection) = PgConnection::connect(url).await else { return false };
        sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut connection).await.is_ok_and(|n| n >= commits)
    })
    .await;
}

fn put(log: &EventLog, id: uuid::Uuid) -> JoinHandle<Result<event_log::Committed, Failure>> {
    let log = log.clone();
    tokio::spawn(async move { tell_as(&log, command(id), clock::new_id(), JarCommand::Put(1)).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_with_a_primary_that_crashes_while_its_standbys_are_away() {
    let rounds = std::env::var("ROUTIX_REPLICA_ROUNDS").ok().and_then(|text| text.parse().ok());
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        round().await;
    }
}

async fn round() {
    let cluster = Cluster::start().await;
    let url = cluster.url();
    let log = process(&url).await;
    let mut acknowledged = Vec::new();
    for _ in 0..5 {
        let id = clock::new_id();
        tokio::time::timeout(PATIENCE, put(&log, id)).await.unwrap().unwrap().unwrap();
        acknowledged.push(id);
    }
    let cluster = cluster.without_standbys().await;
    let lost = clock::new_id();
    let waiting = put(&log, lost);
    wait_for_standbys(&url, 1).await;
    // What can be made again does not wait: leases and rows of work go on.
    let lease = leases::acquire(log.pool(), "a worker", clock::new_id(), PATIENCE).await.unwrap();
    assert!(lease.is_some());
    let known = Known { role: "assistant", tasks: &["answer"] };
    assert!(work::claim(log.pool(), known, PATIENCE, 1).await.unwrap().is_empty());
    // The backend that waits is killed. The server starts again by itself, and has the commit that no standby has.
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let backend: i32 = sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(Command::new("kill").arg("-9").arg(backend.to_string()).status().unwrap().success());
    // The appender sends the batch again and finds it stored; somebody else finds the receipt. Both wait.
    wait_for_standbys(&url, 1).await;
    let other = process(&url).await;
    let repeated = put(&other, lost);
    wait_for_standbys(&url, 2).await;
    assert!(!waiting.is_finished() && !repeated.is_finished(), "nobody is told that it is stored");
    let (_cluster, mut promoted) = cluster.promoted().await;
    let kept: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT command_id FROM command_receipts").fetch_all(&mut promoted).await.unwrap();
    assert!(acknowledged.iter().all(|id| kept.contains(id)), "what was acknowledged is there");
    assert!(!kept.contains(&lost), "what no standby had is gone");
    for answer in [waiting, repeated] {
        let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap();
        assert!(answer.is_err(), "and nobody was told anything else: {answer:?}");
    }
}
