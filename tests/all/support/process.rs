//! The real program as a process that tests start and kill.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::PATIENCE;

/// Where the processes of a test find everything.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub database_url: String,
    pub nats_url: String,
    pub data: PathBuf,
    /// Further environment variables.
    pub extra: Vec<(&'static str, String)>,
}

pub const SECRET: &str = "a secret for tests that is long enough to be one";

/// A running process; it is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub address: String,
    arguments: Vec<String>,
}

impl Surroundings {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routix-under-test"));
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .env("NATS_URL", &self.nats_url)
            .env("ROUTIX_SECRET_KEY", SECRET)
            .env("ROUTIX_DATA", &self.data)
            .env("ROUTIX_LISTEN", "127.0.0.1:0")
            .env("ROUTIX_RATE_LIMITS", "false")
            .env("ROUTIX_DATABASE_CONNECTIONS", "8")
            .envs(self.extra.iter().cloned())
            .kill_on_drop(true);
        command
    }

    /// Starts a process and waits until it says that it is ready.
    pub async fn start(&self, arguments: &[&str]) -> Process {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = child.stderr.take().unwrap();
        let ready = tokio::time::timeout(PATIENCE, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("ready") {
                    return Some(line);
                }
            }
            None
        });
        let Ok(Some(line)) = ready.await else {
            let mut text = String::new();
            let _ = child.start_kill();
            let _ = errors.read_to_string(&mut text).await;
            panic!("routix {arguments:?} did not become ready: {text}");
        };
        // What the process logs is shown with the test, and its pipes never fill up.
        tokio::spawn(async move {
            let mut errors = BufReader::new(errors).lines();
            while let Ok(Some(line)) = errors.next_line().await {
                eprintln!("{line}");
            }
        });
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = line.split_whitespace().last().unwrap_or_default().to_owned();
        Process { child, address, arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() }
    }
}

impl Process {
    /// kill -9.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the process can be killed");
    }

    /// kill -STOP: the process is there and does nothing, as one whose machine hangs.
    pub async fn pause(&self) {
        self.signal("-STOP").await;
    }

    /// kill -CONT.
    pub async fn resume(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("the process runs").to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// kill -9 and the same process again.
    pub async fn kill_and_restart(self, surroundings: &Surroundings) -> Self {
        let mut dying = self;
        dying.kill().await;
        let arguments: Vec<&str> = dying.arguments.iter().map(String::as_str).collect();
        surroundings.start(&arguments).await
    }
}
