//! Owns a private NATS server with `JetStream`: its configuration, its credentials, its process.
//! Refuses any listener but 127.0.0.1, and to know of streams or subjects.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::child::{self, Launch, Running};
use crate::process::{StopSignal, stop_stale};
use crate::reach::Home;
use crate::{EmbeddedError, Options, locate, port};

const SERVER: &str = "nats-server";
const USER: &str = "routix";
const PROBE_WAIT: Duration = Duration::from_secs(2);
const STOP_SIGNALS: &[StopSignal] = &[StopSignal { name: "TERM", wait: Duration::from_secs(10) }];
const PAYLOAD_BYTES_MAX: u64 = 2 * 1024 * 1024;
const MEMORY_STORE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The storage that streams may reserve together; not taken until used.
const FILE_STORE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// A running private NATS server with `JetStream`. Stopped when dropped.
pub struct Nats {
    running: Running,
    port: u16,
    site: Site,
}

/// A store directory and the program it is served with.
struct Site {
    program: PathBuf,
    home: Home,
    store: PathBuf,
    password: String,
}

/// Without the password.
impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("port", &self.port)
            .field("store", &self.site.store)
            .finish_non_exhaustive()
    }
}

impl Nats {
    /// Finds or fetches the server, starts it and waits until it takes our credentials.
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        let program = locate::nats_server()?;
        let home = Home::take(&options.data_dir, "nats")?;
        let store = home.make_private_dir("store")?;
        stop_stale(&store.join("nats.pid"), &home.dir, SERVER, STOP_SIGNALS)?;
        let password = password(&home)?;
        let site = Site { program, home, store, password };
        let (running, port) = site.run(None)?;
        Ok(Self { running, port, site })
    }

    /// `nats://routix:<password>@127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{}", self.site.password, self.port)
    }

    /// The server's process, until the next `restart`.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Ends connections, writes everything and stops. Stopping twice is fine.
    pub fn stop(&mut self) -> Result<(), EmbeddedError> {
        self.running.stop()
    }

    /// Stops the server if it still runs and starts it on the same port and store.
    pub fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.running.stop()?;
        (self.running, self.port) = self.site.run(Some(self.port))?;
        Ok(())
    }
}

impl Site {
    fn run(&self, kept_port: Option<u16>) -> Result<(Running, u16), EmbeddedError> {
        let ready = |_pid, port| self.takes_credentials(port).unwrap_or(false);
        child::run(|port| self.launch(port), ready, kept_port)
    }

    fn launch(&self, port: u16) -> Result<Launch, EmbeddedError> {
        // The server's configuration language includes JSON, which quotes any path for us.
        let config = json!({
            "host": "127.0.0.1",
            "port": port,
            "server_name": USER,
            "pid_file": self.store.join("nats.pid").to_string_lossy(),
            "max_payload": PAYLOAD_BYTES_MAX,
            "jetstream": {
                "store_dir": self.store.to_string_lossy(),
                "max_memory_store": MEMORY_STORE_BYTES_MAX,
                "max_file_store": FILE_STORE_BYTES_MAX,
            },
            "authorization": { "user": USER, "password": self.password },
        });
        let config = self.home.write_private("nats.conf", &config.to_string())?;
        Ok(Launch {
            server: SERVER,
            program: self.program.clone(),
            args: vec![OsString::from("-c"), config.into()],
            work_dir: self.store.clone(),
            log: self.home.dir.join("nats.log"),
            stop_signals: STOP_SIGNALS,
        })
    }

    /// Logs in and asks for a pong: the password proves that it is our server that answers. The server
    /// listens only after `JetStream` has recovered its streams.
    fn takes_credentials(&self, port: u16) -> io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut socket = TcpStream::connect_timeout(&address, PROBE_WAIT)?;
        socket.set_read_timeout(Some(PROBE_WAIT))?;
        let mut lines = BufReader::new(socket.try_clone()?).lines();
        let greeting = lines.next().transpose()?.unwrap_or_default();
        let login =
            json!({ "user": USER, "pass": self.password, "verbose": false, "lang": "rust", "version": "1" });
        socket.write_all(format!("CONNECT {login}\r\nPING\r\n").as_bytes())?;
        let answer = lines.next().transpose()?.unwrap_or_default();
        Ok(greeting.contains(r#""jetstream":true"#) && answer.starts_with("PONG"))
    }
}

/// Kept between starts, so that a URL written down stays right but for the port.
fn password(home: &Home) -> Result<String, EmbeddedError> {
    let path = home.dir.join("password");
    if path.exists() {
        return fs::read_to_string(&path).map_err(EmbeddedError::file("read", &path));
    }
    let password = port::password()?;
    home.write_private("password", &password)?;
    Ok(password)
}
