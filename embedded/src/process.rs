//! Owns signals to server processes, and ending those that a killed process left behind.
//! Refuses to signal a stranger: its command line must name a path of our own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::EmbeddedError;

pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The end of a process may take so long after the kernel was told to end it.
pub(crate) const KILL_WAIT: Duration = Duration::from_secs(5);

/// A signal name as `kill -s` takes it, and how long the server gets to end after it.
#[derive(Debug)]
pub(crate) struct StopSignal {
    pub(crate) name: &'static str,
    pub(crate) wait: Duration,
}

/// Ends the server that a killed process left behind, if there is one: the pid on the first line of
/// `pid_file`, provided that its command line names `marker`, a path of our own.
pub(crate) fn stop_stale(
    pid_file: &Path,
    marker: &Path,
    server: &'static str,
    signals: &[StopSignal],
) -> Result<(), EmbeddedError> {
    let Ok(text) = fs::read_to_string(pid_file) else { return Ok(()) };
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse().ok()) else { return Ok(()) };
    let alive = || command_line(pid).is_some_and(|line| line.contains(&*marker.to_string_lossy()));
    let kill = StopSignal { name: "KILL", wait: KILL_WAIT };
    for signal in signals.iter().chain([&kill]) {
        if !alive() {
            return Ok(());
        }
        tracing::info!(
            server,
            pid,
            signal = signal.name,
            "stopping a server that an earlier process left behind"
        );
        send(signal.name, pid)?;
        let deadline = Instant::now() + signal.wait;
        while alive() && Instant::now() < deadline {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
    if alive() { Err(EmbeddedError::NotStopped { server, pid }) } else { Ok(()) }
}

/// Through the shell's own `kill`: small systems lack the program.
pub(crate) fn send(signal: &str, pid: u32) -> Result<(), EmbeddedError> {
    let mut kill = Command::new("sh");
    kill.args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &pid.to_string()]).stderr(Stdio::null());
    // A failure means that the process has just ended, which the caller is about to see.
    kill.status().map(drop).map_err(EmbeddedError::program(Path::new("sh")))
}

/// None when there is no such process, or only its unreaped remains.
fn command_line(pid: u32) -> Option<String> {
    let line = if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{pid}/cmdline")).ok()?
    } else {
        let mut ps = Command::new("ps");
        ps.args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output().ok()?.stdout
    };
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    (!line.trim().is_empty()).then_some(line)
}
