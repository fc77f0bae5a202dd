//! Owns a server's process: starting it so that it ends with this process, waiting until it is ready,
//! stopping it. Refuses to leave it running: a dropped `Running` is a stopped server.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::process::{KILL_WAIT, POLL_INTERVAL, StopSignal, send};
use crate::{EmbeddedError, log, port, reach};

/// Recovery after a crash happens within this.
const START_WAIT: Duration = Duration::from_mins(1);
/// What a server says that could not start *yet*: its port was taken since we looked, or sessions of
/// its killed predecessor are still ending. Lower case.
const PASSING_TROUBLES: [&str; 4] = [
    "address already in use",
    "could not create any tcp/ip sockets",
    "pre-existing shared memory block",
    "lock file \"postmaster.pid\" already exists",
];

/// The command that starts a server.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) server: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) work_dir: PathBuf,
    pub(crate) log: PathBuf,
    /// The signal that the kernel sends the server when this process ends, and that `stop` sends first.
    pub(crate) stop_signals: &'static [StopSignal],
}

/// A started server; its process may have ended since.
#[derive(Debug)]
pub(crate) struct Running {
    server: &'static str,
    child: Child,
    log: PathBuf,
    log_start: u64,
    stop_signals: &'static [StopSignal],
}

/// Starts what `launch` describes for a port, on the port kept from before or on a free one, and waits
/// until `ready` says yes for that process and port.
pub(crate) fn run(
    launch: impl Fn(u16) -> Result<Launch, EmbeddedError>,
    ready: impl Fn(u32, u16) -> bool,
    kept_port: Option<u16>,
) -> Result<(Running, u16), EmbeddedError> {
    let deadline = Instant::now() + START_WAIT;
    loop {
        let port = kept_port.map_or_else(port::free, Ok)?;
        let mut running = Running::spawn(&launch(port)?)?;
        match running.wait_ready(|pid| ready(pid, port), deadline) {
            Ok(()) => return Ok((running, port)),
            Err(EmbeddedError::Died { log, .. }) if passes(&log) && Instant::now() < deadline => {
                std::thread::sleep(POLL_INTERVAL);
            }
            Err(error) => return Err(error),
        }
    }
}

fn passes(log: &str) -> bool {
    let log = log.to_lowercase();
    PASSING_TROUBLES.iter().any(|trouble| log.contains(trouble))
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(server = self.server, %error, "could not stop an embedded server");
        }
    }
}

impl Running {
    fn spawn(launch: &Launch) -> Result<Self, EmbeddedError> {
        let (out, log_start) = log::open(&launch.log)?;
        let errors = out.try_clone().map_err(EmbeddedError::file("open", &launch.log))?;
        let mut command = match launch.stop_signals.first() {
            Some(signal) if setpriv_knows_pdeathsig() => {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", signal.name, "--"]).arg(&launch.program);
                command
            }
            _ => Command::new(&launch.program),
        };
        command.args(&launch.args).current_dir(&launch.work_dir);
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        // A Ctrl-C in the terminal is for this process, which stops its servers when it is done.
        command.process_group(0);
        reach::run_as_account(&mut command);
        let child = spawn_from_lasting_thread(command).map_err(EmbeddedError::program(&launch.program))?;
        Ok(Self {
            server: launch.server,
            child,
            log: launch.log.clone(),
            log_start,
            stop_signals: launch.stop_signals,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so; fails when the process ends first or the deadline passes.
    fn wait_ready(&mut self, ready: impl Fn(u32) -> bool, deadline: Instant) -> Result<(), EmbeddedError> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.exited()? {
                return Err(EmbeddedError::Died { server: self.server, status, log: self.log_tail() });
            }
            if ready(self.pid()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let (server, waited) = (self.server, start.elapsed());
                return Err(EmbeddedError::NotReady { server, waited, log: self.log_tail() });
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Asks politely, then less so. A server that has ended already is a stopped server.
    pub(crate) fn stop(&mut self) -> Result<(), EmbeddedError> {
        for signal in self.stop_signals {
            if self.exited()?.is_some() {
                return Ok(());
            }
            // Not reaped yet, so the number is still this process's.
            send(signal.name, self.pid())?;
            if self.ends_within(signal.wait)? {
                return Ok(());
            }
            tracing::warn!(
                server = self.server,
                pid = self.pid(),
                signal = signal.name,
                "server does not stop"
            );
        }
        self.child.kill().map_err(EmbeddedError::program(Path::new("kill")))?;
        if self.ends_within(KILL_WAIT)? {
            return Ok(());
        }
        Err(EmbeddedError::NotStopped { server: self.server, pid: self.pid() })
    }

    fn ends_within(&mut self, wait: Duration) -> Result<bool, EmbeddedError> {
        let deadline = Instant::now() + wait;
        while Instant::now() < deadline {
            if self.exited()?.is_some() {
                return Ok(true);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(false)
    }

    fn exited(&mut self) -> Result<Option<ExitStatus>, EmbeddedError> {
        self.child.try_wait().map_err(EmbeddedError::program(Path::new(self.server)))
    }

    fn log_tail(&self) -> String {
        log::tail(&self.log, self.log_start)
    }
}

/// The kernel sends the parent-death signal when the *thread* that spawned ends, and callers spawn
/// from threads that come and go. This one thread stays until the process ends.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, reply) in queue {
                // The asker waits for the answer below, so there is always somebody to hear it.
                let _ = reply.send(command.spawn());
            }
        });
        jobs
    });
    let (reply, answer) = channel();
    spawner.send((command, reply)).map_err(|_| io::Error::other("the spawning thread has ended"))?;
    answer.recv().map_err(|_| io::Error::other("the spawning thread has ended"))?
}

/// `setpriv` is part of util-linux. Without it (macOS) a server may outlive a killed process until
/// the next start finds it by its pid file.
fn setpriv_knows_pdeathsig() -> bool {
    static KNOWS: OnceLock<bool> = OnceLock::new();
    *KNOWS.get_or_init(|| {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
