//! Other accounts of the machine read nothing of an installation.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::process::Surroundings;
use crate::support::{PATIENCE, eventually, servers};

/// Folders through which the account of the embedded servers passes to its own, where the test is root.
const PASSED_THROUGH: u32 = 0o011;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// Everything below a folder, links not followed, that others have any right to.
fn open_to_others(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        // A server removes files of its own meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        let allowed = if kind.is_dir() { PASSED_THROUGH } else { 0 };
        // The mode of a link or of a socket says nothing: the folder that it lies in decides.
        if (kind.is_file() || kind.is_dir()) && mode & 0o077 & !allowed != 0 {
            found.push((path.clone(), mode));
        }
        if kind.is_dir() {
            found.extend(open_to_others(&path));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_data_folder_is_for_other_accounts_whatever_an_earlier_release_left() {
    let data = servers::folder("modes");
    fs::create_dir_all(data.join("objects")).unwrap();
    for folder in [data.clone(), data.join("objects")] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    let surroundings = Surroundings {
        database_url: String::new(),
        nats_url: String::new(),
        data: data.clone(),
        extra: vec![],
    };
    let mut command = surroundings.command(&["up"]);
    // On servers of its own, whose files lie in the data folder too.
    command.env_remove("DATABASE_URL").env_remove("NATS_URL").env_remove("ROUTIX_SECRET_KEY");
    let mut up = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let ready = async { while !lines.next_line().await.unwrap().unwrap().contains("ready") {} };
    tokio::time::timeout(PATIENCE * 2, ready).await.expect("up becomes ready");
    let objects = data.join("objects");
    eventually("the first template is stored", || async {
        fs::read_dir(objects.join("house/templates")).ok()?.next().map(|_| ())
    })
    .await;
    assert_eq!(open_to_others(&data), []);
    assert_eq!((mode(&data) & !PASSED_THROUGH, mode(&objects)), (0o700, 0o700));
    for secret in ["credentials.json", "secret.key"] {
        assert_eq!(mode(&data.join(secret)), 0o600, "{secret}");
    }
    let pid = up.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(up.wait().await.unwrap().success());
}
