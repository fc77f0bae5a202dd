//! The things that the process asks of the system at its start: descriptors, and files that are nobody else's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// Descriptors where the system names no limit.
const UNLIMITED: u64 = 1 << 20;
/// Descriptors that are kept for the database, NATS, files and the listener: a quarter, and so many at most.
const KEPT_MAX: u64 = 512;

/// Nothing that this process makes is for other accounts of the machine: pictures of people and secret templates least
/// of all.
pub fn keep_new_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Takes the folders of an earlier release away from others. They may still pass through the data folder, where
/// the servers of `up` run as another account.
pub fn keep_folders_private(data: &Path, objects: &Path) {
    narrow(data, 0o711);
    narrow(objects, 0o700);
}

/// Leaves no more than these permissions of a folder, where it is there.
fn narrow(folder: &Path, most: u32) {
    let Ok(found) = fs::metadata(folder) else { return };
    let mode = found.permissions().mode() & 0o777;
    if mode & !most != 0
        && let Err(error) = fs::set_permissions(folder, Permissions::from_mode(mode & most))
    {
        tracing::warn!(folder = %folder.display(), %error, "others may look into this folder");
    }
}

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
