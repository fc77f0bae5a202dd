//! One Postgres and one NATS server for each test, and as many relays and followers as it wants.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::{ConnectOptions, ServerAddr};
use embedded::{Nats, Options, Postgres};
use event_log::{
    Actor, CommandContext, Connections, EventLog, LogOptions, MasterKey, Position, ReceiptLife,
    RecordedEvent, clock,
};
use nats::{Bus, BusOptions, Feed, Follower, Relay, RelayState, STREAM};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::note::{Failure, Note, Write};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The shared Postgres. It ends with the test binary; its folder is that of a process and is left to the
/// system's temporary files.
fn postgres_url() -> String {
    static SERVER: OnceLock<Mutex<(Postgres, TempDir)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("nats-tests-").tempdir().unwrap();
        let options = Options { data_dir: folder.path().to_owned(), durable: false };
        Mutex::new((Postgres::start(&options).unwrap(), folder))
    });
    server.lock().unwrap_or_else(PoisonError::into_inner).0.url()
}

pub const SECRET: &[u8] = b"a secret of tests";

pub struct World {
    pub log: EventLog,
    /// That of the process in which the relay is.
    pub bus: Bus,
    /// That of another process: it follows the stream.
    pub elsewhere: Bus,
    pub pool: PgPool,
    nats: Option<Nats>,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("nats-tests-").tempdir().unwrap();
        let options = Options { data_dir: folder.path().to_owned(), durable: false };
        let (server, nats) =
            tokio::task::spawn_blocking(move || (postgres_url(), Nats::start(&options).unwrap()))
                .await
                .unwrap();
        let name = format!("test_{}", clock::new_id().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
        let (host, _) = server.rsplit_once('/').unwrap();
        let options = LogOptions {
            connections: Connections { general: 8, loads: 8, queries: 8 },
            cached_states_max: 1000,
            ..LogOptions::default()
        };
        let pool = event_log::connect(&format!("{host}/{name}"), &options).await.unwrap();
        event_log::migrate(&pool).await.unwrap();
        let keys = MasterKey::from_secret(SECRET).unlock(&pool).await.unwrap();
        let log = EventLog::start(pool.clone(), &keys, &options);
        let bus = Bus::connect(&nats.url(), BusOptions::default()).await.unwrap();
        let elsewhere = Bus::connect(&nats.url(), BusOptions::default()).await.unwrap();
        Self { log, bus, elsewhere, pool, nats: Some(nats), folder }
    }

    /// Starts a relay; it ends with the handle's abort.
    pub fn relay(&self) -> (JoinHandle<()>, watch::Receiver<RelayState>) {
        self.relay_of_pages(1000)
    }

    /// Starts a relay that publishes so many events at once.
    pub fn relay_of_pages(&self, page_events: i64) -> (JoinHandle<()>, watch::Receiver<RelayState>) {
        let relay = Relay::new(self.log.clone(), self.bus.clone());
        let relay = relay.lease_life(Duration::from_millis(500)).page_events(page_events);
        let state = relay.state();
        (tokio::spawn(relay.run()), state)
    }

    pub fn follower(&self, position: i64) -> Follower {
        Feed::start(self.log.clone(), self.elsewhere.clone()).follow(Position::new(position))
    }

    /// Writes one event and gives its position.
    pub async fn write(&self, text: &str) -> i64 {
        try_write(&self.log, text).await.unwrap()
    }

    pub async fn write_many(&self, count: usize) {
        let writes = (0..count).map(|n| {
            let log = self.log.clone();
            async move { try_write(&log, &format!("text {n}")).await.unwrap() }
        });
        futures::future::join_all(writes).await;
    }

    pub async fn run(&self, statement: &str) {
        self.pool.execute(statement).await.unwrap();
    }

    /// Takes the guards off the table, so that a test can do what nobody may.
    pub async fn unguard(&self) {
        self.run("ALTER TABLE events DISABLE TRIGGER USER").await;
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        let address: ServerAddr = self.nats.as_ref().unwrap().url().parse().unwrap();
        let (user, password) = (address.username().unwrap(), address.password().unwrap());
        let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
        jetstream::new(options.connect(address).await.unwrap())
    }

    /// Lets the stream drop all but its last messages, as its age does.
    pub async fn keep_last_messages(&self, max_messages: i64) {
        let config = self.stream().await.cached_info().config.clone();
        let config = jetstream::stream::Config { max_messages, ..config };
        self.jetstream().await.update_stream(config).await.unwrap();
    }

    pub async fn stream(&self) -> jetstream::stream::Stream {
        self.jetstream().await.get_stream(STREAM).await.unwrap()
    }

    /// Waits until the stream's last sequence is the log's head.
    pub async fn published(&self) {
        eventually("the stream reaches the log", || async {
            let held = self.bus.held(&self.log.provenance().await.unwrap()).await.ok()??;
            (held.position == self.log.head().await.unwrap()).then_some(())
        })
        .await;
    }

    /// Everything in the stream is in the log, at the same place, and the stream is at the log's end.
    pub async fn assert_equal(&self) {
        self.published().await;
        let reader = event_log::LogReader::new(self.pool.clone());
        let report = self.bus.compare_with(&reader).await.unwrap().unwrap();
        assert_eq!(report.fault, None);
        assert_eq!(report.last, self.log.head().await.unwrap());
    }

    /// Stops the server, lets `meanwhile` work on its store, and starts it again.
    pub async fn while_stopped(&mut self, meanwhile: impl FnOnce(&std::path::Path) + Send + 'static) {
        let store = self.folder.path().join("nats").canonicalize().unwrap().join("store");
        self.with_nats(move |nats| {
            nats.stop().unwrap();
            meanwhile(&store);
            nats.restart().unwrap();
        })
        .await;
    }

    /// Stops the server. It is away when this returns.
    pub async fn stop_nats(&mut self) {
        self.with_nats(|nats| nats.stop().unwrap()).await;
    }

    pub async fn restart_nats(&mut self) {
        self.with_nats(|nats| nats.restart().unwrap()).await;
    }

    async fn with_nats(&mut self, act: impl FnOnce(&mut Nats) + Send + 'static) {
        let mut nats = self.nats.take().unwrap();
        let task = tokio::task::spawn_blocking(move || {
            act(&mut nats);
            nats
        });
        self.nats = Some(task.await.unwrap());
    }
}

pub async fn try_write(log: &EventLog, text: &str) -> Result<i64, Failure> {
    let command_id = clock::new_id();
    let context = CommandContext {
        actor: Actor::Anonymous,
        owner: None,
        command_id,
        fingerprint: b"this body".to_vec(),
        receipt: ReceiptLife::Client,
        correlation_id: command_id,
        causation_id: None,
        ip: None,
        user_agent: None,
        traceparent: None,
        language: None,
    };
    let unit = log.unit::<Failure>(context).create::<Note>(clock::new_id(), [Write(text.to_owned())]);
    Ok(unit.commit().await?.position.get())
}

/// Reads up to a position and gives what was read.
pub async fn read_up_to(follower: &mut Follower, position: i64) -> Vec<Arc<RecordedEvent>> {
    let mut read = Vec::new();
    let end = tokio::time::timeout(PATIENCE, async {
        while follower.position() < position {
            read.extend(follower.next(100).await.unwrap());
        }
    });
    end.await.unwrap_or_else(|_| panic!("the follower stalls at {}", follower.position()));
    read
}

pub fn positions(events: &[Arc<RecordedEvent>]) -> Vec<i64> {
    events.iter().map(|event| event.position.get()).collect()
}

/// Waits until `condition` gives something.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "it never happened: {what}");
        // A pause between looks, not a wait for a time to pass: the condition decides.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
