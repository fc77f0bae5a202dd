//! A private Postgres with pgvector and a private NATS server for `cargo run` and `cargo test`.
//!
//! Owns finding or fetching the two servers, starting them on free loopback ports with a random
//! password, restarting them on the same port and data, and making sure that they end with this
//! process. Refuses to be a production server (one machine, no TLS, no backups), to touch a server it
//! did not start, and to know anything of the schema: callers get a URL. A caller that was given
//! `DATABASE_URL` or `NATS_URL` simply does not start that part. Unix only.
//!
//! Everything here blocks. Asynchronous callers wrap it in `spawn_blocking`.

mod child;
mod error;
mod fetch;
mod locate;
mod log;
mod nats;
mod port;
mod postgres;
mod process;
mod reach;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use error::EmbeddedError;
pub use locate::Binaries;
pub use nats::Nats;
pub use postgres::Postgres;

/// The place of a server's data, and the care that it takes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds `postgres/` and `nats/`; created when missing, reused with its data and password when
    /// not. One running server of each kind per directory. When this process is root the servers run
    /// as `nobody`, so the directory is made traversable (`o+x`); where a parent directory keeps
    /// `nobody` out, `postgres` and `nats` are symlinks to a place under `/var/lib/routix`.
    pub data_dir: PathBuf,
    /// `false` switches Postgres' `fsync` off: for tests. A killed server keeps its commits all the
    /// same, a power cut may lose them. NATS always keeps its default, a sync every two minutes.
    pub durable: bool,
}

/// What a first start does before it starts anything: finds suitable installed servers or fetches
/// the pinned ones into the per-user cache. Idempotent, safe to run from several processes at once.
pub fn fetch_all() -> Result<Binaries, EmbeddedError> {
    let postgres = locate::postgres()?;
    let nats_server = locate::nats_server()?;
    Ok(Binaries { postgres_bin_dir: postgres.bin_dir, postgres_major: postgres.major, nats_server })
}
