//! `routix cleanup`: removes what is past its end, as the role `cleanup` does every hour.

use std::process::ExitCode;

use event_log::expired::{self, Expired, SweepLimits};

use super::output;
use crate::config::Config;
use crate::stack;

#[derive(Debug, clap::Args)]
pub(super) struct CleanupArgs {
    /// Counts the rows that would go, and removes none.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(config: &Config, args: &CleanupArgs) -> anyhow::Result<ExitCode> {
    let (pool, _) = stack::database(config, 0).await?;
    event_log::migrate(&pool).await?;
    let now = expired::now(&pool).await?;
    output::line(&format!(
        "  {:<24} {:>12}",
        "rows past their end",
        if args.dry_run { "would go" } else { "went" }
    ));
    if args.dry_run {
        for expired in Expired::ALL {
            row(expired, expired.count(&pool, now).await?);
        }
    } else {
        for swept in expired::sweep(&pool, now, SweepLimits::default()).await? {
            row(swept.expired, swept.rows);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(expired: Expired, rows: impl std::fmt::Display) {
    output::line(&format!("  {:<24} {rows:>12}", expired.table()));
}
