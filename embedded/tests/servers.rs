//! Both servers for real: what a caller of this crate may rely on.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use embedded::{EmbeddedError, Nats, Options, Postgres};

/// Names the directory in which the helper test below, run in a process of its own, starts servers.
const HELPER_DIR: &str = "EMBEDDED_TEST_DIR";
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn postgres_starts_with_its_database_and_pgvector() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(&options(dir.path())).unwrap();
    sql(&postgres.url(), "CREATE EXTENSION vector");
    assert_eq!(sql(&postgres.url(), "SELECT '[1,2]'::halfvec(2) <-> '[1,4]'"), "2");
    assert_eq!(sql(&postgres.url(), "SHOW fsync"), "off");
    assert_eq!(sql(&postgres.url(), "SELECT lower('ÄÖ') || current_database()"), "äöroutix");
    let major: u32 = sql(&postgres.url(), "SHOW server_version_num").parse().unwrap();
    assert!(major >= 150_000);
}

#[test]
fn postgres_asks_for_the_password_and_keeps_it_private() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(&options(dir.path())).unwrap();
    let stranger = postgres.url().replace("routix:", "routix:0");
    assert!(!psql(&stranger, "SELECT 1").status.success());
    let mode = fs::metadata(dir.path().join("postgres/password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn postgres_killed_and_restarted_keeps_its_port_and_data() {
    let dir = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(&options(dir.path())).unwrap();
    let (url, pid) = (postgres.url(), postgres.pid());
    sql(&url, "CREATE TABLE kept AS SELECT 7 AS seven");
    kill(pid);
    postgres.restart().unwrap();
    assert_eq!(postgres.url(), url);
    assert_ne!(postgres.pid(), pid);
    assert_eq!(sql(&url, "SELECT seven FROM kept"), "7");
}

#[test]
fn postgres_killed_with_sessions_at_work_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(&options(dir.path())).unwrap();
    let mut session = psql_command(&postgres.url(), "SELECT pg_sleep(60)").spawn().unwrap();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'";
    until("the session sleeps", || sql(&postgres.url(), busy) == "1");
    kill(postgres.pid());
    postgres.restart().unwrap();
    assert!(!session.wait().unwrap().success());
    assert_eq!(sql(&postgres.url(), busy), "0");
}

#[test]
fn postgres_started_again_on_a_directory_keeps_password_and_data() {
    let dir = tempfile::tempdir().unwrap();
    let durable = Options { durable: true, ..options(dir.path()) };
    let mut postgres = Postgres::start(&durable).unwrap();
    sql(&postgres.url(), "CREATE TABLE kept AS SELECT 7 AS seven");
    let password = |url: &str| url.split('@').next().unwrap().to_owned();
    let before = password(&postgres.url());
    postgres.stop().unwrap();
    postgres.stop().unwrap();
    drop(postgres);
    let postgres = Postgres::start(&durable).unwrap();
    assert_eq!(password(&postgres.url()), before);
    assert_eq!(sql(&postgres.url(), "SELECT seven FROM kept"), "7");
    assert_eq!(sql(&postgres.url(), "SHOW fsync"), "on");
}

#[test]
fn a_directory_in_use_is_refused_and_its_server_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(&options(dir.path())).unwrap();
    let second = Postgres::start(&options(dir.path()));
    assert!(matches!(second, Err(EmbeddedError::InUse { .. })), "{second:?}");
    assert_eq!(sql(&postgres.url(), "SELECT 1"), "1");
}

#[test]
fn data_of_another_major_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Postgres::start(&options(dir.path())).unwrap());
    fs::write(dir.path().join("postgres/data/PG_VERSION"), "9\n").unwrap();
    let refused = Postgres::start(&options(dir.path()));
    assert!(matches!(refused, Err(EmbeddedError::DataVersion { .. })), "{refused:?}");
}

#[test]
fn a_server_that_dies_says_why() {
    let dir = tempfile::tempdir().unwrap();
    drop(Postgres::start(&options(dir.path())).unwrap());
    fs::write(dir.path().join("postgres/data/postgresql.conf"), "wal_level = 'nonsense'\n").unwrap();
    let refused = Postgres::start(&options(dir.path()));
    assert!(
        matches!(&refused, Err(EmbeddedError::Died { log, .. }) if log.contains("nonsense")),
        "{refused:?}"
    );
}

#[test]
fn dropped_servers_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(&options(dir.path())).unwrap();
    let nats = Nats::start(&options(dir.path())).unwrap();
    let pids = [postgres.pid(), nats.pid()];
    drop((postgres, nats));
    assert!(!pids.into_iter().any(runs));
}

#[test]
fn nats_takes_its_credentials_only_and_offers_jetstream() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(&options(dir.path())).unwrap();
    let account = nats_request(&nats.url(), "$JS.API.INFO", "");
    assert!(account.contains("account_info_response"), "{account}");
    let stranger = nats.url().replace("routix:", "routix:0");
    assert!(nats_request(&stranger, "$JS.API.INFO", "").contains("Authorization Violation"));
}

#[test]
fn nats_killed_and_restarted_keeps_its_port_and_streams() {
    let dir = tempfile::tempdir().unwrap();
    let mut nats = Nats::start(&options(dir.path())).unwrap();
    let (url, pid) = (nats.url(), nats.pid());
    let stream = r#"{"name":"kept","subjects":["kept.>"],"storage":"file"}"#;
    nats_request(&url, "$JS.API.STREAM.CREATE.kept", stream);
    assert!(nats_request(&url, "kept.one", "word").contains(r#""seq":1"#));
    kill(pid);
    nats.restart().unwrap();
    assert_eq!(nats.url(), url);
    assert_ne!(nats.pid(), pid);
    assert!(nats_request(&url, "$JS.API.STREAM.INFO.kept", "").contains(r#""messages":1"#));
}

/// Linux, where `setpriv` is: elsewhere the next start ends them, as in the test after this one.
#[test]
#[cfg(target_os = "linux")]
fn servers_end_when_their_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let pids = start_and_kill_helper(dir.path());
    until("both servers are gone", || !pids.into_iter().any(runs));
}

#[test]
fn a_killed_process_leaves_a_directory_that_starts_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pids = start_and_kill_helper(dir.path());
    let postgres = Postgres::start(&options(dir.path())).unwrap();
    let _nats = Nats::start(&options(dir.path())).unwrap();
    assert!(!pids.into_iter().any(runs));
    assert_eq!(sql(&postgres.url(), "SELECT 1"), "1");
}

/// Not a specification: the process that the tests above start and kill.
#[test]
fn helper_starts_servers_and_waits_to_be_killed() {
    let Some(dir) = env::var_os(HELPER_DIR).map(std::path::PathBuf::from) else { return };
    // From a thread that ends, as callers do: the servers must not end with it.
    let start = thread::spawn({
        let dir = dir.clone();
        move || (Postgres::start(&options(&dir)).unwrap(), Nats::start(&options(&dir)).unwrap())
    });
    let (postgres, nats) = start.join().unwrap();
    fs::write(dir.join("pids.new"), format!("{} {}", postgres.pid(), nats.pid())).unwrap();
    fs::rename(dir.join("pids.new"), dir.join("pids")).unwrap();
    loop {
        thread::park();
    }
}

fn start_and_kill_helper(dir: &Path) -> [u32; 2] {
    let mut helper = Command::new(env::current_exe().unwrap());
    helper.args(["--exact", "helper_starts_servers_and_waits_to_be_killed"]).env(HELPER_DIR, dir);
    let mut helper = helper.stdout(Stdio::null()).spawn().unwrap();
    until("the helper has started its servers", || {
        assert!(helper.try_wait().unwrap().is_none(), "the helper ended");
        dir.join("pids").exists()
    });
    let text = fs::read_to_string(dir.join("pids")).unwrap();
    let pids: Vec<u32> = text.split(' ').map(|pid| pid.parse().unwrap()).collect();
    let pids: [u32; 2] = pids.try_into().unwrap();
    assert!(pids.into_iter().all(runs));
    helper.kill().unwrap();
    helper.wait().unwrap();
    pids
}

fn options(dir: &Path) -> Options {
    Options { data_dir: dir.to_path_buf(), durable: false }
}

fn sql(url: &str, statement: &str) -> String {
    let output = psql(url, statement);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn psql(url: &str, statement: &str) -> std::process::Output {
    psql_command(url, statement).output().unwrap()
}

fn psql_command(url: &str, statement: &str) -> Command {
    let bundled = embedded::fetch_all().unwrap().postgres_bin_dir.join("psql");
    let mut command = if bundled.exists() { Command::new(bundled) } else { Command::new("psql") };
    command.args([url, "-XAtqc", statement]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One request over the plain protocol; the reply or the server's refusal.
fn nats_request(url: &str, subject: &str, payload: &str) -> String {
    let (credentials, address) = url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let lines = BufReader::new(socket.try_clone().unwrap()).lines();
    let login = format!(r#"{{"user":"{user}","pass":"{password}","verbose":false}}"#);
    let length = payload.len();
    let request = format!("CONNECT {login}\r\nSUB reply 1\r\nPUB {subject} reply {length}\r\n{payload}\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let answer =
        lines.skip(1).map(Result::unwrap).find(|line| !line.starts_with("MSG") && !line.starts_with("PING"));
    answer.unwrap_or_default()
}

fn kill(pid: u32) {
    let status = Command::new("sh").args(["-c", &format!("kill -s KILL {pid}")]).status().unwrap();
    assert!(status.success());
}

/// True while the process exists and is more than unreaped remains.
fn runs(pid: u32) -> bool {
    if Path::new("/proc/self/cmdline").exists() {
        return fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
    }
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
