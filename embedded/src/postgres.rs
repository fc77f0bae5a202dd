//! Owns a private Postgres: its data directory, its password, its settings, its process.
//! Refuses data of another major version, and any listener but 127.0.0.1 and a socket of its own.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::child::{self, Launch, Running};
use crate::locate::{self, PostgresPrograms};
use crate::process::{StopSignal, stop_stale};
use crate::reach::{self, Home};
use crate::{EmbeddedError, Options, port};

const SERVER: &str = "PostgreSQL";
const ROLE_AND_DATABASE: &str = "routix";
const PROBE_WAIT: Duration = Duration::from_secs(2);
/// Fast shutdown (sessions are ended, a checkpoint is written), then immediate shutdown.
const STOP_SIGNALS: &[StopSignal] = &[
    StopSignal { name: "INT", wait: Duration::from_secs(20) },
    StopSignal { name: "QUIT", wait: Duration::from_secs(5) },
];
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=600",
    "shared_buffers=128MB",
    "timezone=UTC",
    "log_timezone=UTC",
    // Statements and the values in their errors are personal data; they stay out of the log.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    // A young server makes a new file of 16 MiB for its log several times a second under load, and everybody
    // waits while that is filled with zeros.
    "wal_init_zero=off",
    // What a connection writes when the buffers are full goes to the disk at once, in small pieces. Otherwise it
    // piles up until a checkpoint wants all of it on the disk, and every commit waits: 100 to 180 ms were seen.
    "backend_flush_after=256kB",
    // Parallel index builds of pgvector want more shared memory than containers have.
    "max_parallel_maintenance_workers=0",
];
/// From here on Postgres sorts by its own C.UTF-8, the same on every system.
const BUILTIN_LOCALE_MAJOR_MIN: u32 = 17;
/// What the path of a socket may have, of the operating systems that Routix runs on the least.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// Only what a power cut needs. A killed server loses commits without `synchronous_commit`, and can
/// leave a half-written page that it repairs only with `full_page_writes`.
const NOT_DURABLE: &[&str] = &["fsync=off"];

/// A running private Postgres with the empty database `routix` (or what an earlier start left in it).
/// Stopped when dropped.
pub struct Postgres {
    running: Running,
    port: u16,
    password: String,
    cluster: Cluster,
}

/// A data directory and the programs it is served with.
#[derive(Debug)]
struct Cluster {
    programs: PostgresPrograms,
    home: Home,
    data: PathBuf,
    /// Where the server's socket is, unless its path would be too long for one. It costs a third less than
    /// a loopback address.
    socket_dir: Option<PathBuf>,
    durable: bool,
}

/// Without the password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("port", &self.port)
            .field("data", &self.cluster.data)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Finds or fetches the server, creates the data directory on first use, starts it and waits
    /// until it takes connections.
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        let programs = locate::postgres()?;
        let home = Home::take(&options.data_dir, "postgres")?;
        let data = home.dir.join("data");
        let socket_dir = Some(home.make_private_dir("socket")?).filter(|dir| is_short_enough(dir));
        let cluster = Cluster { programs, home, data, socket_dir, durable: options.durable };
        stop_stale(&cluster.data.join("postmaster.pid"), &cluster.data, SERVER, STOP_SIGNALS)?;
        let password = cluster.initialise()?;
        let (running, port) = cluster.run(None)?;
        Ok(Self { running, port, password, cluster })
    }

    /// `postgres://routix:<password>@<socket directory, percent-encoded>:<port>/routix`, with 127.0.0.1 where
    /// there is no socket; the role is a superuser.
    pub fn url(&self) -> String {
        let Self { password, port, .. } = self;
        let host = self.cluster.socket_dir.as_deref().map_or_else(|| "127.0.0.1".to_owned(), percent_encoded);
        format!("postgres://{ROLE_AND_DATABASE}:{password}@{host}:{port}/{ROLE_AND_DATABASE}")
    }

    /// The postmaster's process, until the next `restart`.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Ends sessions, writes everything and stops. Stopping twice is fine.
    pub fn stop(&mut self) -> Result<(), EmbeddedError> {
        self.running.stop()
    }

    /// Stops the server if it still runs and starts it on the same port and data.
    pub fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.running.stop()?;
        (self.running, self.port) = self.cluster.run(Some(self.port))?;
        Ok(())
    }
}

impl Cluster {
    fn run(&self, kept_port: Option<u16>) -> Result<(Running, u16), EmbeddedError> {
        let ready = |pid, port| self.says_ready(pid) && takes_connections(port).unwrap_or(false);
        child::run(|port| Ok(self.launch(port)), ready, kept_port)
    }

    fn launch(&self, port: u16) -> Launch {
        let mut args: Vec<OsString> = vec!["-D".into(), (&self.data).into()];
        args.extend(["-p".into(), port.to_string().into()]);
        let relaxed = if self.durable { &[] } else { NOT_DURABLE };
        for setting in SETTINGS.iter().chain(relaxed) {
            args.extend(["-c".into(), setting.into()]);
        }
        let mut sockets = OsString::from("unix_socket_directories=");
        sockets.push(self.socket_dir.as_deref().unwrap_or(Path::new("")));
        args.extend(["-c".into(), sockets]);
        Launch {
            server: SERVER,
            program: self.programs.bin_dir.join("postgres"),
            args,
            work_dir: self.data.clone(),
            log: self.home.dir.join("postgres.log"),
            stop_signals: STOP_SIGNALS,
        }
    }

    /// The password; makes the data directory with the database in it first, when there is none. Made
    /// aside and renamed, so that a first start that was killed is simply done again.
    fn initialise(&self) -> Result<String, EmbeddedError> {
        let password_path = self.home.dir.join("password");
        if self.data.exists() {
            self.check_version()?;
            let password = fs::read_to_string(&password_path);
            return password.map_err(EmbeddedError::file("read", &password_path));
        }
        let password = port::password()?;
        self.home.write_private("password", &password)?;
        let draft = self.home.dir.join("data.new");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(EmbeddedError::file("remove", &draft))?;
        }
        let draft = self.home.make_private_dir("data.new")?;
        self.initdb(&draft, &password_path)?;
        self.create_database(&draft)?;
        fs::rename(&draft, &self.data).map_err(EmbeddedError::file("put in place", &self.data))?;
        Ok(password)
    }

    fn check_version(&self) -> Result<(), EmbeddedError> {
        let path = self.data.join("PG_VERSION");
        let data_major = fs::read_to_string(&path).map_err(EmbeddedError::file("read", &path))?;
        let (data_major, server_major) = (data_major.trim().to_owned(), self.programs.major);
        if data_major == server_major.to_string() {
            return Ok(());
        }
        Err(EmbeddedError::DataVersion { data_dir: self.data.clone(), data_major, server_major })
    }

    fn initdb(&self, data: &Path, password_path: &Path) -> Result<(), EmbeddedError> {
        let program = self.programs.bin_dir.join("initdb");
        let mut initdb = Command::new(&program);
        initdb.arg("-D").arg(data).arg("--pwfile").arg(password_path);
        initdb.args(["--username", ROLE_AND_DATABASE, "--auth=scram-sha-256", "--encoding=UTF8"]);
        if self.programs.major >= BUILTIN_LOCALE_MAJOR_MIN {
            initdb.args(["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
        } else {
            initdb.arg(if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--locale=C" });
        }
        if !self.durable {
            initdb.arg("--no-sync");
        }
        finish(initdb, data, "initdb", "")
    }

    /// In single-user mode, so that no client program is needed.
    fn create_database(&self, data: &Path) -> Result<(), EmbeddedError> {
        let mut single = Command::new(self.programs.bin_dir.join("postgres"));
        single.arg("--single").arg("-D").arg(data).args(["-c", "exit_on_error=on", "postgres"]);
        finish(single, data, "postgres --single", &format!("CREATE DATABASE {ROLE_AND_DATABASE};\n"))
    }

    /// The server's own word: the first line of its pid file is its process, the last its state.
    fn says_ready(&self, pid: u32) -> bool {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        text.lines().next() == Some(pid.to_string().as_str())
            && text.lines().last().is_some_and(|state| state.trim() == "ready")
    }
}

/// Tells whether the socket of any port fits. A comma would end the setting that names the directory.
fn is_short_enough(dir: &Path) -> bool {
    let socket = dir.join(format!(".s.PGSQL.{}", u16::MAX));
    dir.to_str().is_some_and(|text| !text.contains([',', '"', '\'']))
        && socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

/// A path as the host of an address.
fn percent_encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Runs a program of the server to its end as the account that owns the data.
fn finish(
    mut command: Command,
    data: &Path,
    program: &'static str,
    input: &str,
) -> Result<(), EmbeddedError> {
    command.current_dir(data).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    reach::run_as_account(&mut command);
    let run = || -> io::Result<Output> {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ended early tells why in its output; the broken pipe tells nothing.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    };
    let output = { run }().map_err(EmbeddedError::program(Path::new(program)))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(EmbeddedError::Initialise { program, output: String::from_utf8_lossy(&text).trim().to_owned() })
}

/// What `pg_isready` does: opens the protocol; a server that asks for a password takes connections, one
/// that still recovers answers with an error.
fn takes_connections(port: u16) -> io::Result<bool> {
    const PROTOCOL_3_0: u32 = 196_608;
    const ASKS_TO_AUTHENTICATE: u8 = b'R';
    let parameters = format!("user\0{ROLE_AND_DATABASE}\0database\0{ROLE_AND_DATABASE}\0\0");
    let length = u32::try_from(8 + parameters.len()).map_err(io::Error::other)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut socket = TcpStream::connect_timeout(&address, PROBE_WAIT)?;
    socket.set_read_timeout(Some(PROBE_WAIT))?;
    socket
        .write_all(&[&length.to_be_bytes(), &PROTOCOL_3_0.to_be_bytes(), parameters.as_bytes()].concat())?;
    let mut kind = [0];
    socket.read_exact(&mut kind)?;
    Ok(kind == [ASKS_TO_AUTHENTICATE])
}
