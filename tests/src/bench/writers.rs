//! Writers of Routix, in this process or in one that a case starts, pauses and kills.

use std::process::Stdio;
use std::time::Duration;

use commands::CommandError;
use domain::conversation::{Conversation, ConversationCommand};
use domain::{ConversationId, Title, UserId};
use event_log::{Actor, CommandContext, EventLog, ReceiptLife, clock};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;
use uuid::Uuid;

use crate::drive::{Measured, drive};
use crate::stack;

const REPORT_EVERY: Duration = Duration::from_millis(100);

/// The first argument of a process that only writes.
pub const COMMAND: &str = "write";

/// The person in whose name a writer writes: every writer seals with a key of its own.
pub fn writer_id(index: usize) -> UserId {
    UserId(clock::derived_id(Uuid::nil(), &format!("writer {index}")))
}

pub fn start_command(id: Uuid, owner: UserId) -> ConversationCommand {
    ConversationCommand::Start {
        conversation_id: ConversationId(id),
        owner,
        title: Title::parse("A thumbnail for my video about mountains").unwrap(),
        at: clock::now(),
    }
}

/// The context that the API makes for a request.
pub fn context(log: &EventLog, owner: UserId, body: &[u8]) -> CommandContext {
    let command_id = clock::new_id();
    CommandContext {
        actor: Actor::User(owner.0),
        owner: Some(owner.0),
        command_id,
        fingerprint: log.vault().fingerprint(&[b"POST /api/v1/chat/conversations", body]),
        receipt: ReceiptLife::Client,
        correlation_id: command_id,
        causation_id: None,
        ip: Some("127.0.0.1".to_owned()),
        user_agent: Some("bench".to_owned()),
        traceparent: None,
        language: None,
    }
}

/// One command with one event, to a stream of its own.
async fn start(log: &EventLog, owner: UserId) {
    let id = clock::new_id();
    let unit = log
        .unit::<CommandError>(context(log, owner, b"{}"))
        .create::<Conversation>(id, [start_command(id, owner)]);
    unit.outcome(serde_json::json!({ "conversation_id": id })).commit().await.unwrap();
}

/// Writes as fast as it goes, with so many commands under way.
pub async fn measure(log: &EventLog, writers: usize, seconds: f64) -> Measured {
    drive(writers, seconds, |index| {
        let (log, owner) = (log.clone(), writer_id(index));
        move || {
            let log = log.clone();
            async move { start(&log, owner).await }
        }
    })
    .await
}

/// A process of writers, which reports ten times a second.
pub struct WriterProcess {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl WriterProcess {
    /// Starts a process and waits until its first command is done.
    pub async fn start(url: &str, writers: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([COMMAND, url, &writers.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
        Self { child, lines }
    }

    /// Sends a signal: `STOP`, `CONT` or `KILL`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
    }

    /// The reports of the next so many seconds, as one.
    pub async fn watch(&mut self, seconds: f64) -> Progress {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let mut all = Progress { commands: 0, elapsed_ms: 0.0, longest_gap_ms: 0.0 };
        while Instant::now() < end {
            let line = self.lines.next_line().await.unwrap().expect("the process goes on");
            let values: Vec<f64> = line.split(' ').map(|value| value.parse().unwrap()).collect();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let commands = values[0] as u64;
            all.commands += commands;
            all.elapsed_ms += values[1];
            all.longest_gap_ms = all.longest_gap_ms.max(values[2]);
        }
        all
    }
}

impl Progress {
    #[allow(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.commands as f64 / self.elapsed_ms * 1000.0
    }
}

/// What a process of writers reports, each time for what happened since the last report.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub commands: u64,
    pub elapsed_ms: f64,
    /// The longest time in which no command ended.
    pub longest_gap_ms: f64,
}

/// The main of a process of writers: `write <database> <writers>`. Writes until it is killed.
pub fn main(arguments: &[String]) {
    let [url, writers] = arguments else { panic!("write <database> <writers>") };
    let writers: usize = writers.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = stack::log(url).await;
        let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
        for index in 0..writers {
            let (log, ended) = (log.clone(), ended.clone());
            tokio::spawn(async move {
                loop {
                    start(&log, writer_id(index)).await;
                    let _ = ended.send(Instant::now());
                }
            });
        }
        let mut last = ends.recv().await.unwrap();
        say("ready");
        let (mut since, mut commands, mut gap) = (last, 0_u64, Duration::ZERO);
        while let Some(at) = ends.recv().await {
            commands += 1;
            gap = gap.max(at.saturating_duration_since(last));
            last = at;
            if at - since > REPORT_EVERY {
                let elapsed = (at - since).as_secs_f64() * 1000.0;
                say(&format!("{commands} {elapsed} {}", gap.as_secs_f64() * 1000.0));
                (since, commands, gap) = (at, 0, Duration::ZERO);
            }
        }
    });
}

/// Tells the process that started this one.
#[allow(clippy::print_stdout, reason = "the pipe to the process that started this one")]
pub fn say(line: &str) {
    println!("{line}");
}
