//! The things that the process asks of the system at its start.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors where the system names no limit.
const UNLIMITED: u64 = 1 << 20;
/// Descriptors that are kept for the database, NATS, files and the listener: a quarter, and so many at most.
const KEPT_MAX: u64 = 512;

/// Takes as many descriptors as the system gives: every connection is one, and shells often allow 1,024.
pub fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum.or(Some(UNLIMITED)), ..limit };
    if limit.current.is_some() && limit != raised && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::warn!(descriptors = ?limit.current, "the limit of descriptors could not be raised");
    }
}

/// The number of connections that the descriptors of this process allow.
pub fn connections_max() -> usize {
    let all = getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED);
    usize::try_from(all - (all / 4).min(KEPT_MAX)).unwrap_or(usize::MAX)
}
