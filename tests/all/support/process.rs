//! The real program as a process that tests start and kill.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

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
    /// The name under which the audit in the database knows it.
    pub name: String,
    pub address: String,
    arguments: Vec<String>,
}

impl Surroundings {
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of("a command", arguments)
    }

    /// A command whose connections tell the database which process they belong to.
    fn command_of(&self, name: &str, arguments: &[&str]) -> Command {
        let name = name.replace(' ', "-");
        let mut command = Command::new(env!("CARGO_BIN_EXE_routix-under-test"));
        command
            .args(arguments)
            .env("DATABASE_URL", format!("{}?options[routix.process]={name}", self.database_url))
            .env("NATS_URL", &self.nats_url)
            .env("ROUTIX_SECRET_KEY", SECRET)
            .env("ROUTIX_DATA", &self.data)
            .env("ROUTIX_LISTEN", "127.0.0.1:0")
            .env("ROUTIX_RATE_LIMITS", "false")
            .env("ROUTIX_DATABASE_CONNECTIONS", "24")
            // Whoever runs the tests may trace other things.
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .env_remove("OTEL_SERVICE_NAME")
            .envs(self.extra.iter().cloned())
            .kill_on_drop(true);
        command
    }

    /// Starts a process and waits until it says that it is ready.
    pub async fn start(&self, arguments: &[&str]) -> Process {
        let started = self.try_start(arguments).await;
        started.unwrap_or_else(|text| panic!("routix {arguments:?} did not become ready: {text}"))
    }

    /// Starts a process to which the system gives so many descriptors and no more.
    pub async fn start_with_descriptors(&self, arguments: &[&str], descriptors: u32) -> Process {
        let name = name_of(arguments);
        let plain = self.command_of(&name, arguments);
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\" \"$@\""));
        limited.arg(plain.as_std().get_program()).args(plain.as_std().get_args()).kill_on_drop(true);
        for (key, value) in plain.as_std().get_envs() {
            match value {
                Some(value) => limited.env(key, value),
                None => limited.env_remove(key),
            };
        }
        let started = run(limited, name, arguments).await;
        started.unwrap_or_else(|text| panic!("routix {arguments:?} did not become ready: {text}"))
    }

    /// Starts a process; what it said instead of becoming ready.
    pub async fn try_start(&self, arguments: &[&str]) -> Result<Process, String> {
        let name = name_of(arguments);
        run(self.command_of(&name, arguments), name, arguments).await
    }
}

fn name_of(arguments: &[&str]) -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", arguments[0], STARTED.fetch_add(1, Ordering::Relaxed))
}

/// Runs a command until it says that it is ready.
async fn run(mut command: Command, name: String, arguments: &[&str]) -> Result<Process, String> {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
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
        return Err(text);
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
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Ok(Process { child, name, address, arguments })
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

    /// kill -TERM, and waits for the end: whether the process said that it ended well.
    pub async fn end(&mut self) -> bool {
        self.signal("-TERM").await;
        let end = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        end.expect("a process that is asked to end does so").unwrap().success()
    }

    /// Memory in MiB that is resident now. Source: `/proc/<pid>/status`.
    pub fn memory_mib(&self) -> u64 {
        self.status("VmRSS:") / 1024
    }

    /// Forgets the most memory that was resident. Source: proc(5), `clear_refs`.
    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
    }

    /// The most memory in MiB that was resident since [`Self::forget_peak`].
    pub fn peak_memory_mib(&self) -> u64 {
        self.status("VmHWM:") / 1024
    }

    fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        value.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The number of open descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    async fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
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
