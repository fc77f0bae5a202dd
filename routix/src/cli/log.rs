//! `routix log`: is the log whole, and what to do when it lost its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Subcommand;
use commands::claims_of;
use event_log::{
    Anchor, AnchorFolder, AnchorPublicKey, Expected, LogHead, LogKeys, LogReader, Position, RecordedEvent,
    RecoverError, Recovery,
};
use nats::{Bus, BusOptions};
use uuid::Uuid;

use super::output;
use crate::config::Config;
use crate::secrets;
use crate::stack::{self, Stack};

const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Part of what was asked for could not be checked.
const INCOMPLETE: u8 = 2;

#[derive(Debug, Subcommand)]
pub enum LogQuestion {
    /// Recomputes the hash chain, checks that positions are dense, compares the anchors in `ROUTIX_ANCHORS`, and the
    /// stream where `NATS_URL` is given. Ends with 0 when all is well, 1 at a fault, 2 when something could not be
    /// compared.
    Verify {
        /// A position and its chain value as they were known before: `<position>:<hex>`.
        #[arg(long)]
        anchor: Option<String>,
        /// The file of the public key, for whoever does not have the secret key.
        #[arg(long)]
        public_key: Option<PathBuf>,
    },
    /// Prints the public key that anchors are checked with.
    PublicKey,
    /// Puts back what a restored log lost, from what the stream still holds of it.
    Recover {
        /// Gives up what was lost: the log gets a new id, the stream begins anew, clients are told to reset.
        #[arg(long)]
        new_log: bool,
        /// Does it. Without it the command only shows what it would put back.
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(config: Config, question: LogQuestion) -> anyhow::Result<ExitCode> {
    match question {
        LogQuestion::Verify { anchor, public_key } => {
            verify(&config, anchor.as_deref(), public_key.as_deref()).await
        }
        LogQuestion::PublicKey => public_key(&config).await,
        LogQuestion::Recover { new_log: false, yes } => recover(&config, yes).await,
        LogQuestion::Recover { new_log: true, .. } => start_new_log(&config).await,
    }
}

async fn public_key(config: &Config) -> anyhow::Result<ExitCode> {
    let (pool, _) = stack::database(config, 0).await?;
    let keys = secrets::master_key(config)?.unlock(&pool).await?;
    output::line(&keys.anchor_key().public().to_string());
    Ok(ExitCode::SUCCESS)
}

async fn verify(
    config: &Config,
    anchor: Option<&str>,
    public_key: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let mut expected = Expected::default();
    expected.anchors.extend(anchor.map(str::parse::<Anchor>).transpose()?);
    let (pool, _) = stack::database(config, 0).await?;
    let reader = LogReader::new(pool.clone());
    let identity = reader.identity().await?;
    let keys = match &config.secret_key {
        Some(_) => Some(secrets::master_key(config)?.unlock(&pool).await?),
        None => None,
    };
    expected.authenticator = keys.as_ref().map(LogKeys::authenticator);
    let public_key = match public_key {
        Some(file) => Some(fs::read_to_string(file)?.parse::<AnchorPublicKey>()?),
        None => keys.map(|keys| keys.anchor_key().public()),
    };
    let anchors = read_anchors(config, public_key.as_ref(), identity.log_id)?;
    if let Some(Anchored::Fault(fault)) = &anchors {
        output::line(&format!("FAULT: {fault}"));
        return Ok(ExitCode::FAILURE);
    }
    if let Some(Anchored::Heads(heads)) = &anchors {
        expected.anchors.extend(heads.iter().map(LogHead::anchor));
    }
    let (given, is_authenticated) = (expected.anchors.clone(), expected.authenticator.is_some());
    let report = event_log::verify(&pool, expected).await?;
    let first = identity.floor_position.next();
    output::line(&format!("log {}", identity.log_id));
    output::line(&format!("{} events read, positions {first} to {}", report.events, report.head));
    output::line(&format!("head {}:{}", report.head, hex::encode(&report.head_chain)));
    if let Some(fault) = report.fault {
        output::line(&format!("FAULT: {fault}"));
        return Ok(ExitCode::FAILURE);
    }
    output::line("positions are dense and the chain is whole");
    if is_authenticated {
        output::line("every event was written by this log");
    }
    match given.as_slice() {
        [] => output::line("no anchor was given: an end that was cut off is not found without one"),
        [only] => output::line(&format!("the anchor at {} holds", only.position)),
        [.., last] => output::line(&format!("{} anchors hold, the last at {}", given.len(), last.position)),
    }
    let Some(url) = &config.nats_url else {
        output::line("the stream was not compared: NATS_URL is not given");
        return Ok(ExitCode::SUCCESS);
    };
    compare_stream(url, &reader).await
}

/// What the folder of anchors says.
enum Anchored {
    Heads(Vec<LogHead>),
    Fault(String),
}

/// The anchors of this log, by time. `None` where none are kept, or nobody can read them.
fn read_anchors(
    config: &Config,
    key: Option<&AnchorPublicKey>,
    log_id: Uuid,
) -> anyhow::Result<Option<Anchored>> {
    let Some(path) = &config.anchors else { return Ok(None) };
    let Some(key) = key else {
        output::line("the anchors were not compared: give --public-key <file>, or the secret key");
        return Ok(None);
    };
    let (heads, strange) = AnchorFolder::at(path).all(key).context("the anchors cannot be read")?;
    if let Some(strange) = strange.first() {
        return Ok(Some(Anchored::Fault(format!("{} was not signed by this log", strange.display()))));
    }
    // Whoever makes the log another one says so with an anchor of the new one.
    if let Some(newest) = heads.last().filter(|newest| newest.log_id != log_id) {
        return Ok(Some(Anchored::Fault(format!("the newest anchor is of the log {}", newest.log_id))));
    }
    Ok(Some(Anchored::Heads(heads.into_iter().filter(|head| head.log_id == log_id).collect())))
}

async fn compare_stream(url: &str, reader: &LogReader) -> anyhow::Result<ExitCode> {
    let bus = Bus::connect(url, BusOptions::default()).await?;
    let report = match bus.compare_with(reader).await {
        Ok(Some(report)) => report,
        Ok(None) => {
            output::line("the stream was not compared: there is none");
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            output::line(&format!("the stream was not compared: {error}"));
            return Ok(ExitCode::from(INCOMPLETE));
        }
    };
    if let Some(fault) = report.fault {
        output::line(&format!("FAULT: {fault}"));
        return Ok(ExitCode::FAILURE);
    }
    let compared = match report.compared {
        0 => format!("the stream holds no messages and is at {}", report.last),
        messages => {
            format!("{messages} messages compared, positions {} to {}: all equal", report.first, report.last)
        }
    };
    output::line(&compared);
    Ok(ExitCode::SUCCESS)
}

/// What the operator reads when the stream does not continue the log.
const OTHER_HISTORY: &str = "nothing of it can be put back. To give up what the stream holds and go on with \
                             the log as it is: routix log recover --new-log";

async fn recover(config: &Config, yes: bool) -> anyhow::Result<ExitCode> {
    let stack = Stack::connect(config, 0).await?;
    let provenance = stack.log.provenance().await?;
    let held = stack.bus.held(&provenance).await.context("the stream cannot be read")?;
    let Some(held) = held else {
        output::line(
            "there is no stream of this log, so there is nothing to put back; the relay makes a new one",
        );
        return Ok(ExitCode::SUCCESS);
    };
    if held.end > held.position {
        output::line(&format!(
            "positions {} to {} of the stream were not published by this log: they are left out",
            held.position.next(),
            held.end
        ));
    }
    let Some(rewound) = stack.log.compare(&held).await? else {
        output::line(&format!("the log holds everything that the stream holds up to {}", held.position));
        return Ok(ExitCode::SUCCESS);
    };
    let identity = stack.log.identity().await?;
    if held.log_id.is_some_and(|id| id != identity.log_id) || rewound.stream <= rewound.log {
        output::line(&format!("FAULT: the stream is of another history than the log; {OTHER_HISTORY}"));
        return Ok(ExitCode::FAILURE);
    }
    let events = rewound.stream.since(rewound.log);
    output::line(&format!(
        "the log ends at {}, the stream at {}: {events} events can be put back",
        rewound.log, rewound.stream
    ));
    if !yes {
        list(&stack, rewound.log).await?;
        output::line("nothing was put back yet: run it again with --yes");
        return Ok(ExitCode::from(INCOMPLETE));
    }
    let mut recovery = Recovery::start(&stack.log).await?;
    let first = recovery.head().next();
    let result = put_back(&stack, &mut recovery).await;
    summary(&recovery, first);
    let unreadable_names = match result {
        Ok(unreadable) => unreadable,
        Err(Trouble::OtherHistory(fault)) => {
            output::line(&format!("FAULT: {fault}; {OTHER_HISTORY}"));
            return Ok(ExitCode::FAILURE);
        }
        Err(Trouble::Other(error)) => return Err(error),
    };
    if unreadable_names > 0 {
        output::line(&format!(
            "{unreadable_names} unique names could not be read and are free now: those people cannot log in"
        ));
    }
    if let Some(left) = stack.log.compare(&held).await? {
        output::line(&format!("FAULT: {left}; {OTHER_HISTORY}"));
        return Ok(ExitCode::FAILURE);
    }
    output::line("the log holds everything that was published; running processes go on within a second");
    Ok(ExitCode::SUCCESS)
}

/// Lists what would be put back, an event a line.
async fn list(stack: &Stack, after: Position) -> anyhow::Result<()> {
    let Some(published) = stack.bus.published(after).await? else { return Ok(()) };
    let mut published = published.of_own(stack.log.provenance().await?);
    loop {
        let page = published.next_page().await?;
        if page.is_empty() {
            return Ok(());
        }
        for event in page {
            let at = event.recorded_at.to_rfc3339();
            let (stream, id) = (&event.aggregate_type, &event.aggregate_id);
            output::line(&format!("  {} {at} {} of {stream} {id}", event.position, event.event_type));
        }
    }
}

enum Trouble {
    OtherHistory(String),
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// Puts back page by page. Returns how many unique names could not be read.
async fn put_back(stack: &Stack, recovery: &mut Recovery) -> Result<usize, Trouble> {
    let mut unreadable = 0;
    let mut told = Instant::now();
    let Some(published) = stack.bus.published(recovery.head()).await? else { return Ok(0) };
    let mut published = published.of_own(stack.log.provenance().await?);
    loop {
        let page = published.next_page().await?;
        let Some(first) = page.first() else { return Ok(unreadable) };
        if first.position != recovery.head().next() {
            let (from, to) = (recovery.head().next(), first.position.previous());
            return Err(Trouble::OtherHistory(format!(
                "the stream no longer holds positions {from} to {to}"
            )));
        }
        let mut claims = Vec::new();
        for event in &page {
            let found = claims_of(&stack.log.open(event.clone().into()).await?)?;
            claims.extend(found.claims);
            unreadable += found.unreadable;
        }
        append(recovery, &page, &claims).await?;
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            output::line(&format!("put back up to {} of {}", recovery.head(), published.last));
        }
    }
}

async fn append(
    recovery: &mut Recovery,
    page: &[RecordedEvent],
    claims: &[event_log::Claim],
) -> Result<(), Trouble> {
    match recovery.append(page, claims).await {
        Ok(()) => Ok(()),
        Err(error @ RecoverError::OtherHistory { .. }) => Err(Trouble::OtherHistory(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn summary(recovery: &Recovery, first: Position) {
    let done = recovery.recovered();
    if done.events == 0 {
        output::line("no event was put back");
        return;
    }
    output::line(&format!(
        "{} events put back, positions {first} to {}, with {} unique names",
        done.events,
        recovery.head(),
        done.claims
    ));
    output::line(&format!("head {}:{}", recovery.head(), hex::encode(recovery.chain())));
    if let Some((command_id, from)) = done.last_command {
        let to = recovery.head();
        output::line(&format!(
            "the last command is {command_id}, positions {from} to {to}: whether it had more events is not known"
        ));
    }
    if !done.lost_keys.is_empty() {
        output::line(&format!(
            "{} of these events stay sealed: the keys of {} people are not in this database. They read as \
             erased until a backup of the keys is put back",
            done.sealed_for_good,
            done.lost_keys.len()
        ));
    }
}

async fn start_new_log(config: &Config) -> anyhow::Result<ExitCode> {
    let stack = Stack::connect(config, 0).await?;
    let Ok(held) = stack.bus.held(&stack.log.provenance().await?).await else {
        bail!("NATS must be there: the stream has to begin anew with the log");
    };
    let head = stack.log.head().await?;
    // The id first: when this stops half-way, the stream is still of another log, and nothing is appended.
    let log_id = event_log::start_new_log(stack.log.pool()).await?;
    let first = stack.bus.start_stream_anew(&stack.log).await?;
    if let Some(path) = &config.anchors {
        // Without it the log would be taken for a forged one.
        AnchorFolder::at(path).keep(&stack.keys.anchor_key(), &stack.log.log_head().await?)?;
    }
    let ended = held.map_or(Position::ZERO, |held| held.position);
    output::line(&format!("the log is {log_id} now and goes on behind position {head}"));
    output::line(&format!("the stream, which ended at {ended}, begins anew at {first}"));
    output::line("clients and consumers are told to reset; running processes go on within a second");
    Ok(ExitCode::SUCCESS)
}
