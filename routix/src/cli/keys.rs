//! `routix keys`: a copy of the data keys apart from the log, and the change of the secret key. Keys stay
//! wrapped by the secret key: the copy alone opens nothing.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use event_log::keys::{self, BackupLine, Rotated};
use sqlx::PgPool;

use super::output;
use crate::config::Config;
use crate::{secrets, stack};

#[derive(Debug, clap::Subcommand)]
pub(super) enum KeysAction {
    /// Writes all keys, still wrapped, to a file. Keep it apart from backups of the database, and no older than
    /// they are.
    Backup {
        file: PathBuf,
        /// Replaces a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Puts back keys that the database lacks. Never those of erased persons, and never in place of another.
    Restore { file: PathBuf },
    /// Wraps every key with the secret key that is still wrapped by an old one. Everything goes on meanwhile; it
    /// may be stopped and run again.
    Rotate,
}

pub(super) async fn run(config: &Config, action: KeysAction) -> anyhow::Result<ExitCode> {
    let master = secrets::master_key(config)?;
    let (pool, _) = stack::database(config, 0).await?;
    event_log::migrate(&pool).await?;
    match action {
        KeysAction::Backup { file, force } => {
            master.unlock(&pool).await?;
            let keys = backup(&pool, &file, force).await?;
            output::line(&format!("{keys} keys are in {}", file.display()));
        }
        KeysAction::Restore { file } => {
            let receipts = config.kept_receipts().all().context("the receipts of erasure cannot be read")?;
            let done = keys::restore(&pool, &master, &read(&file)?, &receipts).await?;
            output::line(&format!(
                "{} keys restored, {} were there, {} belong to erased persons and stay destroyed",
                done.restored, done.present, done.erased
            ));
            if done.differing > 0 {
                bail!(
                    "{} persons have another key than in the backup; theirs stay as they are",
                    done.differing
                );
            }
        }
        KeysAction::Rotate => {
            master.unlock(&pool).await?;
            let show = |done: Rotated| {
                output::line(&format!("{} keys wrapped anew, {} were before", done.rewrapped, done.current));
            };
            let done = keys::rotate(&pool, &master, &show).await?;
            output::line(&format!(
                "done: all {} keys are wrapped by ROUTIX_SECRET_KEY",
                done.rewrapped + done.current
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Written beside its place and moved there when it is whole: a crash leaves no half of a backup.
async fn backup(pool: &PgPool, path: &Path, force: bool) -> anyhow::Result<u64> {
    if path.exists() && !force {
        bail!("{} is there already; --force replaces it", path.display());
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let draft = PathBuf::from(draft);
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let mut file = BufWriter::new(file.with_context(|| format!("{} cannot be written", draft.display()))?);
    let take = |line: &BackupLine| -> anyhow::Result<()> {
        serde_json::to_writer(&mut file, line)?;
        Ok(file.write_all(b"\n")?)
    };
    let keys = keys::backup(pool, take).await?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&draft, path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(keys)
}

fn read(path: &Path) -> anyhow::Result<Vec<BackupLine>> {
    let file = fs::File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        lines.push(serde_json::from_str(&line?).context("this is no backup of keys")?);
    }
    if !matches!(lines.first(), Some(BackupLine::Log { .. })) {
        bail!("this is no backup of keys: it does not say of which log");
    }
    Ok(lines)
}
