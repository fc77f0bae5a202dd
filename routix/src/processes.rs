//! The processes: which tasks run where. All tasks of a process end with it; none holds anything that
//! another process could not take over.

use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use api::App;
use commands::process::{Runner, Sweeper};
use commands::{CommandError, Credentials, Login};
use domain::reactions;
use event_log::{LogError, clock, leases};
use nats::{Feed, Relay};
use projections::Worker;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::anchors::Anchors;
use crate::config::Config;
use crate::part::Part;
use crate::presence;
use crate::secrets::{random_text, write_private};
use crate::telemetry::metrics;

/// A process that is asked to end goes on so long with the work that it has begun.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// The tasks of a process.
pub struct Tasks {
    app: App,
    /// Everything in this process follows the log by one feed.
    feed: Feed,
    all: JoinSet<&'static str>,
    /// Told when the process is to begin nothing new.
    stop: CancellationToken,
    /// The tasks that then come to an end by themselves.
    ending: TaskTracker,
    /// The holders of leases in this process.
    holders: Vec<Uuid>,
    anchors: Option<Anchors>,
    /// The name of this process among those that say which parts they run.
    process: Uuid,
}

impl Tasks {
    /// Begins with the tasks that every process has which writes: it tells the relay, and keeps its metrics small.
    pub fn of((app, anchors): (App, Option<Anchors>)) -> Self {
        let mut tasks = Self {
            feed: Feed::start(app.log().clone(), app.bus().clone()),
            app,
            all: JoinSet::default(),
            stop: CancellationToken::default(),
            ending: TaskTracker::default(),
            holders: Vec::new(),
            anchors: None,
            process: clock::new_id(),
        };
        tasks.spawn("metrics", metrics::upkeep());
        if let Some(anchors) = &anchors {
            tasks.spawn("look at anchors", anchors.clone().watch());
        }
        tasks.anchors = anchors;
        tasks.spawn("announcements", tasks.app.bus().clone().announce_appends(tasks.app.log().clone()));
        tasks
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.all.spawn(async move {
            task.await;
            name
        });
    }

    /// A task that comes to an end when it is told to stop.
    fn spawn_ending(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.ending.track_future(task);
        self.spawn(name, task);
    }

    /// Begins nothing new and ends what was begun, within a bound: requests get their answers, sockets are
    /// told to come back, work that was claimed is finished. Then everything else stops, and the leases are
    /// given back, so that nobody has to wait for their end.
    pub async fn drain(mut self) {
        self.stop.cancel();
        self.ending.close();
        let ended = async { tokio::join!(self.ending.wait(), self.app.router().close()) };
        if tokio::time::timeout(DRAIN_MAX, ended).await.is_err() {
            tracing::warn!("not everything came to an end in time; what is left is done by others");
        }
        self.all.shutdown().await;
        if let Some(anchors) = self.anchors.filter(|anchors| self.holders.contains(&anchors.holder())) {
            anchors.sign().await;
        }
        let pool = self.app.log().pool();
        if let Err(error) = leases::release_all(pool, &self.holders).await {
            tracing::warn!(%error, "the leases were not given back; they end by themselves");
        }
        if let Err(error) = event_log::presence::withdraw(pool, self.process).await {
            tracing::warn!(%error, "this process is still said to run; that ends by itself");
        }
    }

    /// Waits for a task to end. None ends by itself: the first one that does takes the process down, and
    /// whoever supervises it starts it again.
    pub async fn first_to_end(&mut self) -> anyhow::Error {
        match self.all.join_next().await {
            Some(Ok(name)) => anyhow::anyhow!("the task {name} ended"),
            Some(Err(error)) => anyhow::anyhow!("a task stopped: {error}"),
            None => std::future::pending().await,
        }
    }

    /// Every process that remembers persons hears when one is erased. Nobody is served before those whom the
    /// kept receipts name are erased.
    pub async fn heed_erasures(&mut self) -> anyhow::Result<()> {
        let head = self.app.log().head().await?;
        self.app.erasures().apply_kept().await?;
        self.spawn("erasures", self.app.erasures().clone().heed(self.feed.clone(), head));
        Ok(())
    }

    pub fn work(&mut self, config: &Config, parts: &[Part]) {
        let app = self.app.clone();
        let does = |part| parts.contains(&part) || parts.contains(&Part::All);
        let done: Vec<Part> = Part::each().filter(|part| does(*part)).collect();
        let names = done.into_iter().map(Part::name).collect();
        self.spawn("presence", presence::keep(app.log().clone(), self.process, names));
        if does(Part::Relay) {
            let relay = Relay::new(app.log().clone(), app.bus().clone()).lease_life(config.relay_lease());
            app.health().watch_relay(relay.state());
            self.holders.push(relay.holder());
            self.spawn("relay", relay.run());
            if let Some(anchors) = self.anchors.clone() {
                self.holders.push(anchors.holder());
                self.spawn("anchors", anchors.keep());
            }
        }
        if does(Part::Projections) {
            for projection in projections::all() {
                let name = projection.spec().name;
                let worker = Worker::new(app.log().clone(), app.bus().clone(), self.feed.clone(), projection);
                self.holders.push(worker.holder());
                self.spawn(name, worker.run());
            }
        }
        if does(Part::Process(reactions::Role::Cleanup)) {
            let sweeper = Sweeper::new(app.log().clone());
            self.holders.push(sweeper.holder());
            self.spawn("sweeper", sweeper.run());
        }
        for role in reactions::Role::ALL {
            if does(Part::Process(*role)) {
                let runner = Runner::new(app.commands().clone(), *role);
                let stop = self.stop.clone().cancelled_owned();
                self.spawn_ending(role.name(), runner.run(stop));
            }
        }
    }

    /// Tells in the log, once, which parts of the background work nobody runs.
    pub fn warn_of_missing_parts(&mut self) {
        self.spawn("missing parts", presence::warn(self.app.log().clone()));
    }

    /// Serves the metrics of a process that serves nothing else, where an address is given for it.
    pub async fn serve_metrics(&mut self, config: &Config) -> anyhow::Result<()> {
        let Some(address) = config.metrics_listen else { return Ok(()) };
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for metrics"))?;
        self.spawn_ending(
            "metrics server",
            api::serve_metrics(self.app.clone(), listener, self.stop.clone()),
        );
        Ok(())
    }

    /// Draws and uploads the starter library where it is missing, while the service is up already: a prompt
    /// that finds no template yet is drawn without one.
    pub fn stock_library(&mut self) {
        let commands = self.app.commands().clone();
        self.spawn("starter library", async move {
            match commands.upload_starter_library().await {
                Ok(0) => {}
                Ok(uploaded) => tracing::info!(templates = uploaded, "the starter library is in place"),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the starter library is incomplete; the next start goes on with it"
                ),
            }
            std::future::pending::<()>().await;
        });
    }

    /// Defines the starter algorithms. On a log that is behind what was published of it, as soon as it is whole
    /// again: until then the process serves, and says why it can do no more.
    pub async fn offer_algorithms(&mut self) -> anyhow::Result<()> {
        match self.app.commands().define_starter_algorithms().await {
            Ok(()) => return Ok(()),
            Err(CommandError::Log(LogError::Rewound { .. })) => {}
            Err(error) => return Err(error.into()),
        }
        let app = self.app.clone();
        self.spawn("starter algorithms", async move {
            let mut standing = app.log().standing();
            while standing.changed().await.is_ok() {
                match app.commands().define_starter_algorithms().await {
                    Ok(()) => break,
                    Err(error) => tracing::debug!(%error, "the starter algorithms are not defined yet"),
                }
            }
            std::future::pending::<()>().await;
        });
        Ok(())
    }

    /// Serves HTTP on a listener.
    pub async fn serve(&mut self, listener: TcpListener) -> anyhow::Result<()> {
        let app = self.app.clone();
        let head = app.log().head().await?;
        self.spawn("live router", app.router().clone().follow(app.log().clone(), self.feed.clone(), head));
        let authenticator = app.log().vault().authenticator().clone();
        self.spawn("live frames", app.router().clone().follow_live(app.bus().clone(), authenticator));
        self.spawn_ending("http", api::serve(app, listener, self.stop.clone()));
        Ok(())
    }
}

/// The number of connections that these parts open beside the pools of the process: each projection applies its events
/// over one of its own.
pub fn connections_of(parts: &[Part]) -> u32 {
    let has_projections = parts.contains(&Part::Projections) || parts.contains(&Part::All);
    if has_projections { u32::try_from(projections::all().len()).unwrap_or(u32::MAX) } else { 0 }
}

/// Binds the address to serve on.
pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is another one running? Set ROUTIX_LISTEN to another address",
            config.listen
        )
    })
}

/// Makes the accounts of a first start and writes their logins down. A later start reads them.
pub async fn accounts(app: &App, config: &Config) -> anyhow::Result<Credentials> {
    use domain::credit_ledger::GrantReason;
    use domain::user::Role;
    const DEMO_CREDITS: u32 = 1000;
    let path = config.data.join("credentials.json");
    let credentials = match std::fs::read_to_string(&path) {
        Ok(text) => {
            serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?
        }
        Err(_) => {
            let login = |name: &str| Login {
                email: format!("{name}@routix.local"),
                password: random_text().chars().take(20).collect(),
            };
            let credentials = Credentials { admin: login("admin"), demo: login("demo") };
            write_private(&path, &serde_json::to_string_pretty(&credentials)?)?;
            credentials
        }
    };
    let commands = app.commands();
    commands.ensure_account(&credentials.admin, "Admin", Role::Admin).await?;
    commands.ensure_account(&credentials.demo, "Demo", Role::User).await?;
    // Under an id of its own, so it happens once, also when the first start died in between.
    commands.top_up_account(&credentials.demo, DEMO_CREDITS, GrantReason::TopUp).await?;
    Ok(credentials)
}
