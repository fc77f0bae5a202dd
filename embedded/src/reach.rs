//! Owns who runs the servers and where that account can reach files.
//!
//! Postgres refuses to run as root, so for root the account is `nobody`; everybody else runs the
//! servers as themselves. Directories that root writes to stay root's own (a directory of `nobody`
//! could be given a symlink by anyone else who runs as `nobody`); the servers own only what is below.
//! Refuses to loosen permissions of any directory it was not handed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::EmbeddedError;
use crate::process::POLL_INTERVAL;

/// Where root keeps what `nobody` cannot reach elsewhere. The first is where a system keeps state;
/// the second, which some systems clean by age, is for a read-only `/var/lib`.
const SHARED_PLACES: [&str; 2] = ["/var/lib/routix", "/var/tmp/routix"];
/// The conventional account without rights, when the system names none.
const NOBODY_ID: u32 = 65_534;
/// A process that is about to end still holds its lock; one that runs on will not let go.
const LOCK_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

/// The directory of one server, locked for this process until dropped.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) dir: PathBuf,
    _lock: File,
}

impl Home {
    /// Takes `<data_dir>/<name>`: creates it where the account reaches it and locks it.
    pub(crate) fn take(data_dir: &Path, name: &str) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(data_dir).map_err(EmbeddedError::file("create", data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(EmbeddedError::file("resolve", data_dir))?;
        let lock = lock(&data_dir, name)?;
        let wanted = data_dir.join(name);
        let Some(account) = account() else {
            make_dir(&wanted, 0o700)?;
            return Ok(Self { dir: wanted, _lock: lock });
        };
        let mode = fs::metadata(&data_dir).map_err(EmbeddedError::file("inspect", &data_dir))?.mode();
        set_mode(&data_dir, mode | 0o011)?;
        let dir = if account.reaches(&data_dir) { wanted } else { shared_home(&data_dir, name)? };
        make_dir(&dir, 0o711)?;
        let dir = dir.canonicalize().map_err(EmbeddedError::file("resolve", &dir))?;
        if account.reaches(&dir) {
            Ok(Self { dir, _lock: lock })
        } else {
            Err(EmbeddedError::Unreachable { path: dir })
        }
    }

    /// A directory below that belongs to the account and nobody else.
    pub(crate) fn make_private_dir(&self, name: &str) -> Result<PathBuf, EmbeddedError> {
        let dir = self.dir.join(name);
        make_dir(&dir, 0o700)?;
        give(&dir)?;
        Ok(dir)
    }

    /// A file below that only the account (and root) can read.
    pub(crate) fn write_private(&self, name: &str, text: &str) -> Result<PathBuf, EmbeddedError> {
        let path = self.dir.join(name);
        let draft = self.dir.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(EmbeddedError::file("write", &draft))?;
        give(&draft)?;
        fs::rename(&draft, &path).map_err(EmbeddedError::file("put in place", &path))?;
        Ok(path)
    }
}

impl Account {
    /// Asks by trying, as that account: modes, access lists and mounts all count.
    fn reaches(self, path: &Path) -> bool {
        let mut test = Command::new("test");
        test.arg("-x").arg(path).current_dir("/").stderr(Stdio::null());
        test.uid(self.uid).gid(self.gid).status().is_ok_and(|status| status.success())
    }
}

/// The account that runs servers, when it is another than this process's own.
fn account() -> Option<Account> {
    static ACCOUNT: OnceLock<Option<Account>> = OnceLock::new();
    *ACCOUNT.get_or_init(|| {
        (id(&["-u"])? == 0).then(|| Account {
            uid: id(&["-u", "nobody"]).unwrap_or(NOBODY_ID),
            gid: id(&["-g", "nobody"]).unwrap_or(NOBODY_ID),
        })
    })
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Makes the command run as the account; the standard library drops root's other groups with it.
pub(crate) fn run_as_account(command: &mut Command) {
    if let Some(account) = account() {
        command.uid(account.uid).gid(account.gid);
    }
}

/// True when the account can execute this program.
pub(crate) fn runs(program: &Path) -> bool {
    program.is_file() && account().is_none_or(|account| account.reaches(program))
}

/// The directory to unpack programs in: `wanted`, or for root a shared place when `nobody` is kept
/// out of `wanted`.
pub(crate) fn program_dir(wanted: &Path) -> Result<PathBuf, EmbeddedError> {
    let existing = wanted.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    let dir = match account() {
        Some(account) if !account.reaches(existing) => shared_place()?.join("cache"),
        _ => wanted.to_path_buf(),
    };
    make_dir(&dir, 0o755)?;
    Ok(dir)
}

/// The place that stands in for `<data_dir>/<name>`, with a symlink there that leads to it.
fn shared_home(data_dir: &Path, name: &str) -> Result<PathBuf, EmbeddedError> {
    let link = data_dir.join(name);
    let digest = hex::encode(Sha256::digest(data_dir.as_os_str().as_encoded_bytes()));
    let place = shared_place()?.join(&digest[..16]);
    make_dir(&place, 0o711)?;
    let dir = place.join(name);
    match fs::symlink_metadata(&link) {
        Ok(found) if found.is_symlink() => return Ok(dir),
        Ok(_) => return Err(EmbeddedError::Unreachable { path: link }),
        Err(_) => {}
    }
    // Whoever removed the data directory, and the link in it, wanted to begin anew.
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(EmbeddedError::file("remove", &dir))?;
    }
    symlink(&dir, &link).map_err(EmbeddedError::file("link", &link))?;
    Ok(dir)
}

fn shared_place() -> Result<PathBuf, EmbeddedError> {
    let usable = |place: &PathBuf| {
        // Somebody else's directory of this name (only possible where all may write) is not trusted.
        make_dir(place, 0o711).is_ok()
            && fs::symlink_metadata(place).is_ok_and(|found| found.is_dir() && found.uid() == 0)
            && account().is_some_and(|account| account.reaches(place))
    };
    let found = SHARED_PLACES.into_iter().map(PathBuf::from).find(usable);
    found.ok_or_else(|| EmbeddedError::Unreachable { path: PathBuf::from(SHARED_PLACES[0]) })
}

fn lock(data_dir: &Path, name: &str) -> Result<File, EmbeddedError> {
    let path = data_dir.join(format!("{name}.lock"));
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(EmbeddedError::file("open", &path))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(POLL_INTERVAL),
            Err(TryLockError::WouldBlock) => {
                return Err(EmbeddedError::InUse { data_dir: data_dir.to_path_buf() });
            }
            Err(TryLockError::Error(source)) => return Err(EmbeddedError::file("lock", &path)(source)),
        }
    }
}

/// Creates the directory with exactly this mode; an existing one keeps the mode it has.
fn make_dir(dir: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(mode).create(dir).map_err(EmbeddedError::file("create", dir))?;
    set_mode(dir, mode)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(EmbeddedError::file("chmod", path))
}

fn give(path: &Path) -> Result<(), EmbeddedError> {
    let Some(account) = account() else { return Ok(()) };
    chown(path, Some(account.uid), Some(account.gid)).map_err(EmbeddedError::file("chown", path))
}
