//! `routix rebuild`: a read model anew, while everything goes on.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use event_log::{EventLog, Position};
use indicatif::{ProgressBar, ProgressStyle};
use projections::Projection;
use projections::runtime::{self, Comparison, RebuildError, RebuildOptions, RebuildStep};
use tokio::time::Instant;

use super::output;
use crate::config::Config;
use crate::{secrets, stack};

/// The exit code when rows differ and were not expected to: nothing failed, somebody has to decide.
const DIFFERS: u8 = 3;

/// One builds, one reads ahead.
const CONNECTIONS: u32 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct RebuildArgs {
    /// The read model: accounts, conversations, templates and so on.
    projection: String,
    /// This version of the program writes other rows than the one before: swap although the rows differ.
    #[arg(long)]
    changed: bool,
}

pub(super) async fn run(config: &Config, args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let projection = named(&args.projection)?;
    let log = open_log(config).await?;
    let bar = ProgressBar::new(0);
    let style = "  {bar:40} {human_pos}/{human_len} events  {msg}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let started = Instant::now();
    let applied = std::sync::Mutex::new((Position::ZERO, Duration::ZERO));
    let watch = |step| match step {
        RebuildStep::Applied { position, target } => {
            let elapsed = started.elapsed();
            if let Ok(mut applied) = applied.lock() {
                *applied = (position, elapsed);
            }
            bar.set_length(target.sequence());
            bar.set_position(position.sequence());
            bar.set_message(format!("{} events/s", rate(position.get(), elapsed)));
        }
        RebuildStep::Indexing => bar.set_message("building indexes"),
        RebuildStep::Comparing => bar.set_message("comparing"),
        RebuildStep::Swapping => bar.set_message("swapping"),
    };
    let options = RebuildOptions { changed: args.changed, ..RebuildOptions::default() };
    let result = runtime::rebuild(&log, projection.as_ref(), options, &watch).await;
    bar.finish_and_clear();
    let (events, elapsed) = applied.lock().map(|applied| *applied).unwrap_or_default();
    output::line(&format!(
        "{}: {events} events applied in {:.1} s, {} events/s",
        projection.spec().name,
        elapsed.as_secs_f64(),
        rate(events.get(), elapsed)
    ));
    match result {
        Ok(rebuilt) => {
            show(rebuilt.compared_at, &rebuilt.tables);
            if rebuilt.parked > 0 {
                output::line(&format!("{} events cannot be applied and are parked", rebuilt.parked));
            }
            output::line(&format!("swapped at position {}", rebuilt.position));
            Ok(ExitCode::SUCCESS)
        }
        Err(RebuildError::Differs { compared_at, tables }) => {
            show(compared_at, &tables);
            output::line(
                "NOT swapped: the rebuilt rows differ from the live ones. If this version of the program is to \
                 write other rows, run it again with --changed",
            );
            Ok(ExitCode::from(DIFFERS))
        }
        Err(error) => Err(error.into()),
    }
}

fn named(name: &str) -> anyhow::Result<Arc<dyn Projection>> {
    let mut all = projections::all();
    let Some(at) = all.iter().position(|projection| projection.spec().name == name) else {
        let names: Vec<&str> = all.iter().map(|projection| projection.spec().name).collect();
        bail!("there is no projection {name}; there are {}", names.join(", "));
    };
    Ok(all.swap_remove(at))
}

/// The log without a bus: a rebuild tells nobody anything.
async fn open_log(config: &Config) -> anyhow::Result<EventLog> {
    let master = secrets::master_key(config)?;
    let (pool, options) = stack::database(config, CONNECTIONS).await?;
    event_log::migrate(&pool).await?;
    let keys = master.unlock(&pool).await?;
    Ok(EventLog::start(pool, &keys, &options))
}

fn show(compared_at: Position, tables: &[Comparison]) {
    output::line(&format!("compared at position {compared_at}:"));
    for table in tables {
        let verdict = if table.differs() { "DIFFERS" } else { "equal" };
        output::line(&format!(
            "  {:<24} {verdict:<8} live {} rows, checksum {}; rebuilt {} rows, checksum {}",
            table.table, table.live.rows, table.live.checksum, table.rebuilt.rows, table.rebuilt.checksum
        ));
    }
}

fn rate(events: i64, elapsed: Duration) -> i64 {
    events * 1000 / i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX).max(1)
}
