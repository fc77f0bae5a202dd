//! A whole Routix for one test: a server and workers as processes of their own.

use embedded::Nats;
use event_log::clock;
use sqlx::PgPool;

use super::checker::{self, Seen};
use super::client::{Client, Told};
use super::process::{Process, Surroundings};
use super::servers;

pub struct World {
    pub surroundings: Surroundings,
    pub server: Process,
    pub workers: Vec<Process>,
    pub pool: PgPool,
    pub told: Told,
    pub nats: Nats,
    has_all_roles: bool,
}

impl World {
    /// A server and one process for all background work.
    pub async fn start() -> Self {
        Self::with(&[], &["all"]).await
    }

    /// A server and a process for each of the roles.
    pub async fn with(extra: &[(&'static str, &str)], roles: &[&str]) -> Self {
        let (database_url, nats) = (servers::database().await, servers::nats().await);
        let surroundings = Surroundings {
            database_url,
            nats_url: nats.url(),
            data: servers::folder("data"),
            extra: extra.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        };
        let server = surroundings.start(&["serve"]).await;
        let mut workers = Vec::new();
        for role in roles {
            workers.push(surroundings.start(&["work", "--role", role]).await);
        }
        let pool = PgPool::connect(&surroundings.database_url).await.unwrap();
        let has_all_roles = roles.contains(&"all");
        Self { surroundings, server, workers, pool, told: Told::default(), nats, has_all_roles }
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
