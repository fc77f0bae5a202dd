//! A database and a broker of a test's own, with a log, a relay and the workers that it asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_log::{EventLog, LogOptions, MasterKey, connect, migrate};
use nats::{Bus, BusOptions, Feed, Relay};
use projections::runtime::STALLED_AFTER;
use projections::{Projection, Reader, Worker, WorkerStatus};
use serde_json::Value;
use sqlx::Executor;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Stack {
    pub log: EventLog,
    pub bus: Bus,
    pub reader: Reader,
    pub url: String,
    tasks: JoinSet<()>,
    _postgres: embedded::Postgres,
    nats: Option<embedded::Nats>,
    _dir: tempfile::TempDir,
}

impl Stack {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = embedded::Options { data_dir: dir.path().to_owned(), durable: false };
        let servers = tokio::task::spawn_blocking(move || {
            (embedded::Postgres::start(&options).unwrap(), embedded::Nats::start(&options).unwrap())
        });
        let (postgres, nats) = servers.await.unwrap();
        let url = postgres.url();
        let limits = LogOptions::default();
        let pool = connect(&url, &limits).await.unwrap();
        migrate(&pool).await.unwrap();
        let keys = MasterKey::from_secret(b"a secret of tests").unlock(&pool).await.unwrap();
        let log = EventLog::start(pool.clone(), &keys, &limits);
        let bus = Bus::connect(&nats.url(), BusOptions::default()).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(Relay::new(log.clone(), bus.clone()).run());
        tasks.spawn(bus.clone().announce_appends(log.clone()));
        let reader = Reader::new(&pool, log.clone());
        Self { log, bus, reader, url, tasks, _postgres: postgres, nats: Some(nats), _dir: dir }
    }

    /// A stack whose workers run.
    pub async fn with_all_workers() -> Self {
        let mut stack = Self::start().await;
        for projection in projections::all() {
            stack.work(projection);
        }
        stack
    }

    pub async fn stop_broker(&mut self) {
        self.with_broker(|nats| nats.stop().unwrap()).await;
    }

    pub async fn restart_broker(&mut self) {
        self.with_broker(|nats| nats.restart().unwrap()).await;
    }

    async fn with_broker(&mut self, act: impl FnOnce(&mut embedded::Nats) + Send + 'static) {
        let mut nats = self.nats.take().unwrap();
        let acted = tokio::task::spawn_blocking(move || {
            act(&mut nats);
            nats
        });
        self.nats = Some(acted.await.unwrap());
    }

    /// Starts a worker.
    pub fn work(&mut self, projection: Arc<dyn Projection>) -> watch::Receiver<WorkerStatus> {
        self.work_for_a_while(projection).1
    }

    /// Starts a worker that can be killed.
    pub fn work_for_a_while(
        &mut self,
        projection: Arc<dyn Projection>,
    ) -> (AbortHandle, watch::Receiver<WorkerStatus>) {
        let feed = Feed::start(self.log.clone(), self.bus.clone());
        let worker = Worker::new(self.log.clone(), self.bus.clone(), feed, projection);
        let status = worker.status();
        (self.tasks.spawn(worker.run()), status)
    }

    /// Waits until a projection has seen the whole log.
    pub async fn caught_up(&self, projection: &str) {
        caught_up(&self.log, projection).await;
    }

    pub async fn all_caught_up(&self) {
        for projection in projections::all() {
            self.caught_up(projection.spec().name).await;
        }
    }

    /// All rows of a table, in an order of their own.
    pub async fn rows(&self, table: &str) -> Value {
        let select = format!(
            "SELECT coalesce(jsonb_agg(row ORDER BY row::text), '[]') FROM (SELECT to_jsonb(t) AS row FROM {table} AS t) AS r"
        );
        sqlx::query_scalar(&select).fetch_one(self.log.pool()).await.unwrap()
    }

    pub async fn count(&self, select: &str) -> i64 {
        sqlx::query_scalar(select).fetch_one(self.log.pool()).await.unwrap()
    }

    /// Makes the last event, which somebody stored beside the log, one that the log would have written.
    pub async fn authenticate_last(&self) {
        let head = self.log.head().await.unwrap();
        let last = self.log.stored_page(head.previous(), 1).await.unwrap().remove(0);
        let value = self.log.vault().authenticator().of_event(&last.digest());
        let mut tx = self.log.pool().begin().await.unwrap();
        tx.execute("SET LOCAL session_replication_role = replica").await.unwrap();
        let mend = sqlx::query("UPDATE events SET authentication = $2 WHERE position = $1");
        mend.bind(head).bind(value).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn execute(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(self.log.pool()).await.unwrap();
    }
}

/// Waits until a projection has seen the whole log.
pub async fn caught_up(log: &EventLog, projection: &str) {
    let head = log.head().await.unwrap();
    until("the projection has caught up", async || {
        let progress = projections::runtime::progress(log, STALLED_AFTER).await.unwrap();
        progress.iter().any(|p| p.projection == projection && p.position >= head)
    })
    .await;
}

/// Waits for a condition.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
