//! The write side of a test's own: its database, its broker, and as much of the background work as it asks for.

use std::sync::Arc;
use std::time::Duration;

use commands::process::{Pace, Runner};
use commands::{Commands, DefineAlgorithm, RegisterUser, Settings};
use domain::reactions::Role;
use domain::{AlgorithmId, Credits, EmailAddress, MicroUsd, Slug, UserId, Username, user};
use embedded::{Nats, Options};
use event_log::{Actor, CommandContext, EventLog, LogOptions, MasterKey, ReceiptLife, clock};
use nats::{Bus, BusOptions, Feed, Relay};
use projections::{Reader, Worker};
use providers::Providers;
use routix::ProjectedReadSide;
use sqlx::{PgPool, Postgres, Transaction};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{CountingGenerator, GENERATOR, HeldAnalyzer, servers};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(30);
pub const SIGNUP_CREDITS: u32 = 25;

/// A write side with the servers below it, which end with it.
pub struct World {
    pub log: EventLog,
    pub master: MasterKey,
    pub bus: Bus,
    pub reader: Reader,
    pub providers: Providers,
    pub commands: Commands,
    /// The generator of the algorithms that `algorithm` defines.
    pub generator: Arc<CountingGenerator>,
    pub analyzer: Arc<HeldAnalyzer>,
    tasks: JoinSet<()>,
    _nats: Nats,
    folder: TempDir,
}

/// A process manager that runs until it is stopped, or dropped in the middle of what it does.
#[derive(Debug)]
pub struct Working {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Working {
    /// Lets it finish what it has claimed.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }

    /// Ends it as a crash would: in the middle of what it does.
    pub async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

impl World {
    pub async fn start() -> Self {
        let folder = servers::folder();
        let options = Options { data_dir: folder.path().to_owned(), durable: false };
        let nats = tokio::task::spawn_blocking(move || Nats::start(&options).unwrap());
        let (url, nats) = tokio::join!(servers::database(), nats);
        let nats = nats.unwrap();
        let options = LogOptions::default();
        let pool = event_log::connect(&url, &options).await.unwrap();
        let master = MasterKey::from_secret(b"a secret of tests");
        let keys = master.unlock(&pool).await.unwrap();
        let log = EventLog::start(pool, &keys, &options);
        let bus = Bus::connect(&nats.url(), BusOptions::default()).await.unwrap();
        let generator = Arc::new(CountingGenerator::default());
        let mut providers = Providers::built_in(&folder.path().join("objects")).unwrap();
        let analyzer = Arc::new(HeldAnalyzer::new(providers.analyzer.clone()));
        providers.analyzer = analyzer.clone();
        let providers = providers.with_generator(generator.clone());
        let reader = Reader::new(log.pool(), log.clone());
        let read_side = Arc::new(ProjectedReadSide(reader.clone()));
        let settings = Settings { signup_credits: SIGNUP_CREDITS, ..Settings::default() };
        let commands = Commands::new(log.clone(), bus.clone(), providers.clone(), read_side, settings);
        Self {
            log,
            master,
            bus,
            reader,
            providers,
            commands,
            generator,
            analyzer,
            tasks: JoinSet::new(),
            _nats: nats,
            folder,
        }
    }

    /// A world in which the relay and all projections run.
    pub async fn with_projections() -> Self {
        let mut world = Self::start().await;
        world.tasks.spawn(Relay::new(world.log.clone(), world.bus.clone()).run());
        world.tasks.spawn(world.bus.clone().announce_appends(world.log.clone()));
        let feed = Feed::start(world.log.clone(), world.bus.clone());
        for projection in projections::all() {
            let worker = Worker::new(world.log.clone(), world.bus.clone(), feed.clone(), projection);
            world.tasks.spawn(worker.run());
        }
        world
    }

    /// Starts a process manager.
    pub fn work(&self, role: Role) -> Working {
        self.work_at(Pace::of(role), role)
    }

    /// Starts a process manager with limits of the test's own.
    pub fn work_at(&self, pace: Pace, role: Role) -> Working {
        let (stop, stopped) = oneshot::channel();
        let runner = Runner::new(self.commands.clone(), role).pace(pace);
        let task = tokio::spawn(runner.run(async {
            let _ = stopped.await;
        }));
        Working { stop, task }
    }

    pub fn pool(&self) -> &PgPool {
        self.log.pool()
    }

    /// The number of thumbnails that are stored for a person.
    pub fn thumbnails_of(&self, user: UserId) -> usize {
        let folder = self.folder.path().join(format!("objects/people/{user}/generations"));
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// A new account with the credits of a signup.
    pub async fn user(&self) -> UserId {
        let name = clock::new_id().simple().to_string();
        let registration = RegisterUser {
            email: EmailAddress::parse(&format!("{name}@example.com")).unwrap(),
            username: Username::parse(&name[..20]).unwrap(),
            password: "correct horse".to_owned(),
            role: user::Role::User,
        };
        let context = CommandContext { actor: Actor::Anonymous, ..command_of(UserId(Uuid::nil())) };
        self.commands.register(context, registration).await.unwrap().value.user_id
    }

    /// An algorithm that the counting generator draws.
    pub async fn algorithm(&self, credit_cost: u32) -> AlgorithmId {
        let name = clock::new_id().simple().to_string();
        let new = DefineAlgorithm {
            slug: Slug::parse(&format!("a{}", &name[..20])).unwrap(),
            display_name: format!("Algorithm {name}"),
            provider: GENERATOR.to_owned(),
            config: serde_json::Value::Null,
            credit_cost: Credits(credit_cost),
            cost: MicroUsd(1000),
            is_default: false,
        };
        self.commands.define_algorithm(command_of(UserId(Uuid::nil())), new).await.unwrap().value
    }

    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }

    pub async fn run(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(self.pool()).await.unwrap();
    }

    /// A transaction that has run a statement and holds its locks.
    pub async fn begin(&self, statement: &str) -> Transaction<'static, Postgres> {
        let mut transaction = self.pool().begin().await.unwrap();
        sqlx::raw_sql(statement).execute(&mut *transaction).await.unwrap();
        transaction
    }

    /// The number of events.
    pub async fn events(&self) -> i64 {
        self.log.head().await.unwrap().get()
    }
}

/// A new command of a person.
pub fn command_of(user_id: UserId) -> CommandContext {
    let command_id = clock::new_id();
    CommandContext {
        actor: Actor::User(user_id.0),
        owner: Some(user_id.0),
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

/// Waits until a condition holds.
pub async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        // A pause between looks, not a wait for a time to pass: the condition decides.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
