//! Renews `.sqlx`, from which the compiler checks the SQL of `event_log` and `projections` without a database:
//!
//! ```sh
//! cargo run -p embedded --example checked_sql              # after a change of a migration or a statement
//! cargo run -p embedded --example checked_sql -- --check   # fails where `.sqlx` is not current
//! ```
//!
//! It starts a Postgres of its own, applies the migrations and compiles the two crates against it; the macros of sqlx
//! write down what the database says of each statement.

#![allow(clippy::print_stdout, reason = "the answer to the person who runs it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use embedded::{Options, Postgres};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

/// The crates that hold SQL, and the file that is touched so that the macros run again.
const CRATES: [(&str, &str); 2] =
    [("event_log", "event_log/src/lib.rs"), ("projections", "projections/src/lib.rs")];

fn main() -> ExitCode {
    let is_check = std::env::args().any(|argument| argument == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let options = Options { data_dir: folder.path().join("stack"), durable: false };
    let postgres = Postgres::start(&options).expect("Postgres starts");
    migrate(&postgres.url(), &root.join("migrations"));
    let fresh = folder.path().join("sqlx");
    std::fs::create_dir(&fresh).expect("the folder is new");
    if !compile(root, &postgres.url(), &fresh) {
        println!("a statement does not compile against the migrations");
        return ExitCode::FAILURE;
    }
    let kept = root.join(".sqlx");
    let is_current = descriptions(&fresh) == descriptions(&kept);
    if is_check {
        println!("{}", if is_current { ".sqlx is current" } else { ".sqlx is not current: renew it" });
        return if is_current { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if !is_current {
        replace(&kept, &fresh);
    }
    println!("{} statements are checked", descriptions(&kept).len());
    ExitCode::SUCCESS
}

fn migrate(url: &str, migrations: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let pool = PgPool::connect(url).await.expect("Postgres answers");
        let migrator = Migrator::new(migrations).await.expect("the migrations can be read");
        migrator.run(&pool).await.expect("the migrations apply");
    });
}

/// Compiles the crates against a database. The macros write what they learn into `fresh`.
fn compile(root: &Path, url: &str, fresh: &Path) -> bool {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).arg("check");
    for (name, file) in CRATES {
        let file = std::fs::File::options().append(true).open(root.join(file)).expect("the crate is there");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + since_epoch())
            .expect("the file can be touched");
        cargo.args(["-p", name]);
    }
    cargo.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", fresh);
    cargo.status().is_ok_and(|status| status.success())
}

#[allow(clippy::disallowed_methods, reason = "cargo compares the time of a file with that of its last build")]
fn since_epoch() -> std::time::Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// The files of a folder with their contents.
fn descriptions(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths.filter_map(|path| Some((file_name(&path)?, std::fs::read_to_string(path).ok()?))).collect()
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn replace(kept: &Path, fresh: &Path) {
    let _ = std::fs::remove_dir_all(kept);
    std::fs::create_dir(kept).expect("the old folder is gone");
    for (name, text) in descriptions(fresh) {
        std::fs::write(kept.join(name), text).expect("the folder is new");
    }
}
