//! The place where faults are put into the code: a worktree of the committed HEAD, with a build folder of its own that
//! every fault finds as the one before it left it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The worktree.
#[derive(Debug)]
pub struct Ground {
    tree: PathBuf,
    build: PathBuf,
    logs: PathBuf,
}

impl Ground {
    /// Makes the worktree, or brings the one that is there to HEAD.
    pub fn prepare(root: &Path) -> Self {
        let folder = root.join("target/mutants");
        let ground =
            Self { tree: folder.join("worktree"), build: folder.join("target"), logs: folder.join("logs") };
        std::fs::create_dir_all(&ground.logs).unwrap();
        let head = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root).output().unwrap();
        let head = String::from_utf8(head.stdout).unwrap().trim().to_owned();
        if ground.tree.join(".git").exists() {
            assert!(
                ground.git(&["checkout", "--quiet", "--force", "--detach", &head]),
                "the worktree is at HEAD"
            );
        } else {
            // A worktree whose folder was deleted is still in the books.
            let add = ["worktree", "add", "--quiet", "--force", "--detach"];
            let added = Command::new("git").args(add).arg(&ground.tree).arg(&head).current_dir(root).status();
            assert!(added.unwrap().success(), "there is a worktree");
        }
        ground.restore();
        ground
    }

    /// Puts a fault into the code. `false` when it does not fit.
    pub fn apply(&self, patch: &Path) -> bool {
        self.git(&["apply", "--check", patch.to_str().unwrap()])
            && self.git(&["apply", patch.to_str().unwrap()])
    }

    /// Takes every fault out again. Files without a fault stay untouched, so they are not compiled anew.
    pub fn restore(&self) {
        assert!(self.git(&["checkout", "--quiet", "--force", "--", "."]), "the code is as it was");
        assert!(self.git(&["clean", "--quiet", "--force", "-d"]), "nothing is left over");
    }

    /// The `cargo` of the path, in the worktree.
    pub fn cargo(&self) -> tokio::process::Command {
        let mut cargo = tokio::process::Command::new("cargo");
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.build);
        cargo
    }

    /// Keeps what a fault's build and test printed, and tells where.
    pub fn log(&self, id: &str, printed: &str) {
        std::fs::write(self.logs.join(format!("{id}.log")), printed).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> bool {
        let done = Command::new("git").args(arguments).current_dir(&self.tree).output().unwrap();
        done.status.success()
    }
}
