//! A whole Routix for one test: a server and workers as processes of their own.

use std::path::{Path, PathBuf};

use embedded::Nats;
use event_log::clock;
use sqlx::PgPool;

use super::audit;
use super::checker::{self, Seen};
use super::client::{Client, Told};
use super::cluster::Cluster;
use super::eventually;
use super::process::{Process, Surroundings};
use super::servers::{self, OwnPostgres};

pub struct World {
    pub surroundings: Surroundings,
    pub server: Process,
    pub workers: Vec<Process>,
    pub pool: PgPool,
    pub told: Told,
    /// There but for the moments in which something is done to it, and on a cluster.
    pub nats: Option<Nats>,
    /// Where that server keeps its streams.
    pub nats_store: PathBuf,
    /// Where the test has a database server of its own.
    pub postgres: Option<OwnPostgres>,
    has_all_roles: bool,
}

impl World {
    /// A server and one process for all background work.
    pub async fn start() -> Self {
        Self::with(&[], &["all"]).await
    }

    /// A server and a process for each of the roles.
    pub async fn with(extra: &[(&'static str, &str)], roles: &[&str]) -> Self {
        Self::on(servers::database().await, extra, roles).await
    }

    /// A whole Routix on a database server of its own, whose data can be put back to an earlier state.
    pub async fn on_own_postgres() -> Self {
        let postgres = OwnPostgres::start().await;
        let mut world = Self::on(postgres.url(), &[], &["all"]).await;
        world.postgres = Some(postgres);
        world
    }

    /// A whole Routix on a NATS cluster.
    pub async fn on_cluster(cluster: &Cluster, roles: &[&str]) -> Self {
        let replicas = [("ROUTIX_STREAM_REPLICAS", "3")];
        Self::over(servers::database().await, cluster.urls(), &replicas, roles).await
    }

    async fn on(database_url: String, extra: &[(&'static str, &str)], roles: &[&str]) -> Self {
        let data = servers::folder("nats");
        let nats = servers::nats_in(data.clone()).await;
        let mut world = Self::over(database_url, nats.url(), extra, roles).await;
        world.nats = Some(nats);
        world.nats_store = servers::store_of(&data);
        world
    }

    async fn over(
        database_url: String,
        nats_url: String,
        extra: &[(&'static str, &str)],
        roles: &[&str],
    ) -> Self {
        let surroundings = Surroundings {
            database_url,
            nats_url,
            data: servers::folder("data"),
            extra: extra.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        };
        let server = surroundings.start(&["serve"]).await;
        let pool = PgPool::connect(&surroundings.database_url).await.unwrap();
        audit::install(&pool).await;
        let mut workers = Vec::new();
        for role in roles {
            workers.push(surroundings.start(&["work", "--role", role]).await);
        }
        let has_all_roles = roles.contains(&"all");
        let told = Told::default();
        Self {
            surroundings,
            server,
            workers,
            pool,
            told,
            nats: None,
            nats_store: PathBuf::new(),
            postgres: None,
            has_all_roles,
        }
    }

    /// Copies the database as it is now.
    pub async fn back_up(&mut self) -> PathBuf {
        let (postgres, copy) = self.postgres.take().unwrap().backed_up().await;
        self.postgres = Some(postgres);
        copy
    }

    /// Puts the database back to an earlier state.
    pub async fn restore(&mut self, copy: &Path) {
        self.postgres = Some(self.postgres.take().unwrap().restored(copy).await);
    }

    /// Does something to the NATS server that blocks.
    pub async fn with_nats(&mut self, act: impl FnOnce(&mut Nats) + Send + 'static) {
        let mut nats = self.nats.take().unwrap();
        self.nats = Some(
            tokio::task::spawn_blocking(move || {
                act(&mut nats);
                nats
            })
            .await
            .unwrap(),
        );
    }

    /// Runs a command of the command line to its end: whether it succeeded, and what it printed.
    pub async fn routix(&self, arguments: &[&str]) -> (bool, String) {
        let done = self.surroundings.command(arguments).output().await.unwrap();
        let printed = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// The last position of the log.
    pub async fn head(&self) -> i64 {
        eventually("the database answers", || async {
            let head = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM events");
            head.fetch_one(&self.pool).await.ok()
        })
        .await
    }

    pub async fn user(&self) -> Client {
        Client::register(&self.server.address, &self.told).await
    }

    pub fn anonymous(&self) -> Client {
        Client::anonymous(&self.server.address, &self.told)
    }

    /// An admin, made with the command line.
    pub async fn admin(&self) -> Client {
        let email = format!("admin-{}@example.com", clock::new_id().simple());
        let password = "admin password";
        let made = self
            .surroundings
            .command(&["admin", "create", "--email", &email, "--password", password])
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Client::log_in(&self.server.address, &self.told, &email, password).await
    }

    /// Waits until everything has come to rest, then checks every invariant. Where a test runs only some of
    /// the roles, the others do their work first.
    pub async fn check(&self, seen: &[Seen]) {
        let _others = if self.has_all_roles {
            None
        } else {
            Some(self.surroundings.start(&["work", "--role", "all"]).await)
        };
        checker::check(&self.pool, &self.surroundings.nats_url, &self.told, seen).await;
    }
}
