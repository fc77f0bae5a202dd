//! The processes of a round and the servers under them: how they are hit, what that hit, and how they come
//! back.

use std::sync::Arc;
use std::time::Duration;

use embedded::{Nats, Options, Postgres};
use sqlx::PgPool;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::calls::Calls;
use super::load::Load;
use super::plan::{Blow, Fault, Target};
use crate::support::checker::jetstream;
use crate::support::process::{Process, Surroundings};
use crate::support::{audit, servers};

/// A longer wait is a fault: a piece of work that failed several times waits up to a minute for its next
/// attempt.
pub const PATIENCE: Duration = Duration::from_mins(2);

const WORK: [&str; 3] = ["work", "--role", "relay,projections,assistant,generation,analysis,timers"];

/// What a fault found under way, at the moment in which it hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// Commands whose answer was outstanding, and would have come through what was hit.
    pub answers: i64,
    /// Events that were stored and not relayed yet, or that a projection led by what was hit had to apply.
    pub events: i64,
    /// Rows of work that what was hit held.
    pub work: i64,
}

impl InFlight {
    pub fn is_hit(self) -> bool {
        self.answers + self.events + self.work > 0
    }
}

pub struct House {
    pub surroundings: Surroundings,
    pub pool: PgPool,
    pub load: Arc<Load>,
    pub calls: Calls,
    servers: [Mutex<Process>; 2],
    workers: [Mutex<Process>; 2],
    nats: Arc<std::sync::Mutex<Nats>>,
    postgres: Option<Arc<std::sync::Mutex<Postgres>>>,
    /// Taken for as long as something is down that is hit as a whole.
    turns: [Mutex<()>; 2],
}

impl House {
    /// Two servers and two workers on a database, or a database server, and a NATS server of their own.
    pub async fn build(own_postgres: bool) -> Self {
        let postgres = if own_postgres { Some(start_postgres().await) } else { None };
        let database_url = match &postgres {
            Some(postgres) => postgres.url(),
            None => servers::database().await,
        };
        let nats = servers::nats().await;
        let data = servers::folder("data");
        let calls = data.join("calls");
        let surroundings = Surroundings {
            database_url,
            nats_url: nats.url(),
            data,
            extra: vec![
                ("ROUTIX_TEST_CALLS", calls.display().to_string()),
                ("ROUTIX_SIGNUP_CREDITS", "100".to_owned()),
                ("ROUTIX_LOG", std::env::var("ROUTIX_LOG").unwrap_or_else(|_| "off".to_owned())),
            ],
        };
        // The first one makes the tables, and the audit is there before anybody works.
        let first = surroundings.start(&["serve"]).await;
        let pool = PgPool::connect(&surroundings.database_url).await.unwrap();
        audit::install(&pool).await;
        let (second, one, two) = tokio::join!(
            surroundings.start(&["serve"]),
            surroundings.start(&WORK),
            surroundings.start(&WORK)
        );
        let load = Arc::new(Load::new([first.address.clone(), second.address.clone()]));
        Self {
            surroundings,
            pool,
            load,
            calls: Calls(calls),
            servers: [Mutex::new(first), Mutex::new(second)],
            workers: [Mutex::new(one), Mutex::new(two)],
            nats: Arc::new(std::sync::Mutex::new(nats)),
            postgres: postgres.map(|postgres| Arc::new(std::sync::Mutex::new(postgres))),
            turns: [Mutex::new(()), Mutex::new(())],
        }
    }

    /// Hits when its moment has come, and tells what was under way then. Whatever was hit is back afterwards.
    pub async fn strike(&self, fault: Fault) -> InFlight {
        self.load.until(fault.after).await;
        match fault.target {
            Target::Server(n) => {
                let mut process = self.servers[n].lock().await;
                let found = self.hit_process(&mut process, fault).await;
                self.load.moved(n, &process.address);
                found
            }
            Target::Worker(n) => {
                let mut process = self.workers[n].lock().await;
                if matches!(fault.blow, Blow::PauseInCall { .. }) {
                    self.calls.until_open(process.pid()).await;
                }
                self.hit_process(&mut process, fault).await
            }
            Target::Nats => {
                let _turn = self.turns[0].lock().await;
                self.hit_nats(fault.blow).await
            }
            Target::Postgres => {
                let _turn = self.turns[1].lock().await;
                self.hit_postgres(fault.blow).await
            }
        }
    }

    /// What a process has in its hands. It stands still meanwhile, so that this is true when it is hit.
    async fn in_the_hands_of(&self, process: &Process, target: Target) -> InFlight {
        let answers = match target {
            Target::Server(n) => self.load.outstanding(n),
            Target::Worker(_) | Target::Nats | Target::Postgres => 0,
        };
        let found = audit::in_the_hands_of(&self.pool, &process.name).await;
        // Where the database is down as well nobody can be asked.
        let (events, work) = found.unwrap_or_default();
        InFlight { answers: i64::try_from(answers).unwrap(), events, work }
    }

    async fn hit_process(&self, process: &mut Process, fault: Fault) -> InFlight {
        process.pause().await;
        let found = self.in_the_hands_of(process, fault.target).await;
        match fault.blow {
            Blow::Kill { down } => {
                process.kill().await;
                sleep(down).await;
                *process = self.start_again(fault.target).await;
            }
            Blow::Pause { still } | Blow::PauseInCall { still } => {
                sleep(still).await;
                process.resume().await;
            }
        }
        found
    }

    /// As whoever supervises processes does: once more, where one did not come up because something it needs
    /// is down as well.
    async fn start_again(&self, target: Target) -> Process {
        let deadline = Instant::now() + PATIENCE;
        let arguments: &[&str] = if matches!(target, Target::Server(_)) { &["serve"] } else { &WORK };
        loop {
            match self.surroundings.try_start(arguments).await {
                Ok(process) => return process,
                Err(text) => assert!(Instant::now() < deadline, "{target} does not come back: {text}"),
            }
        }
    }

    async fn hit_nats(&self, blow: Blow) -> InFlight {
        let pid = self.nats.lock().unwrap().pid();
        let found = InFlight { answers: 0, events: self.not_relayed().await, work: 0 };
        match blow {
            Blow::Kill { down } => {
                signal("-KILL", &[pid]).await;
                sleep(down).await;
                let nats = self.nats.clone();
                tokio::task::spawn_blocking(move || nats.lock().unwrap().restart().unwrap()).await.unwrap();
            }
            Blow::Pause { still } | Blow::PauseInCall { still } => {
                signal("-STOP", &[pid]).await;
                sleep(still).await;
                signal("-CONT", &[pid]).await;
            }
        }
        found
    }

    /// Events of the log that the stream did not have a moment later.
    async fn not_relayed(&self) -> i64 {
        let head = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(position), 0) FROM events");
        let Ok(head) = head.fetch_one(&self.pool).await else { return 0 };
        let context = jetstream(&self.surroundings.nats_url).await;
        let Ok(stream) = context.get_stream("ROUTIX_EVENTS").await else { return 0 };
        (head - i64::try_from(stream.cached_info().state.last_sequence).unwrap()).max(0)
    }

    async fn hit_postgres(&self, blow: Blow) -> InFlight {
        let postgres = self.postgres.clone().expect("a round that hits Postgres has its own");
        let pid = postgres.lock().unwrap().pid();
        // Every command goes through it.
        let answers = self.load.outstanding(0) + self.load.outstanding(1);
        let found = InFlight { answers: i64::try_from(answers).unwrap(), events: 0, work: 0 };
        match blow {
            Blow::Kill { down } => {
                signal("-KILL", &[pid]).await;
                sleep(down).await;
                tokio::task::spawn_blocking(move || postgres.lock().unwrap().restart().unwrap())
                    .await
                    .unwrap();
            }
            Blow::Pause { still } | Blow::PauseInCall { still } => {
                // With everyone who works for it: the postmaster alone is missed by nobody who is connected.
                signal("-STOP", &[pid]).await;
                let family = children_of(pid).await;
                signal("-STOP", &family).await;
                sleep(still).await;
                signal("-CONT", &family).await;
                signal("-CONT", &[pid]).await;
            }
        }
        found
    }
}

async fn start_postgres() -> Postgres {
    let options = Options { data_dir: servers::folder("postgres"), durable: false };
    tokio::task::spawn_blocking(move || Postgres::start(&options).expect("Postgres starts")).await.unwrap()
}

/// Processes that have ended meanwhile are no fault.
async fn signal(signal: &str, pids: &[u32]) {
    let pids = pids.iter().map(ToString::to_string);
    let _ = Command::new("kill").arg(signal).args(pids).stderr(std::process::Stdio::null()).status().await;
}

async fn children_of(pid: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-e", "-o", "ppid=,pid="]).output().await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let pairs = lines.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(|word| word.parse::<u32>().ok());
        Some((words.next()??, words.next()??))
    });
    pairs.filter(|(parent, _)| *parent == pid).map(|(_, child)| child).collect()
}
