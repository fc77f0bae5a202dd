//! A folder of anchors: a file for each, and one that is always the newest.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{AnchorKey, AnchorPublicKey, LogHead};
use crate::{EventLog, LogError};

const NEWEST: &str = "newest.anchor";
const EXTENSION: &str = "anchor";

/// Where anchors are kept.
#[derive(Debug, Clone)]
pub struct AnchorFolder(PathBuf);

/// What became of the comparison of the newest anchor with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is none yet.
    Empty,
    Holds(LogHead),
    /// The log is not the one that was anchored, in words.
    Broken(String),
}

impl AnchorFolder {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Signs the end of the log and keeps it. A file is whole or not there.
    pub fn keep(&self, key: &AnchorKey, head: &LogHead) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let bytes = key.sign(head);
        let name =
            format!("{}-{:020}-{}.{EXTENSION}", head.log_id, head.position.get(), head.at.timestamp_micros());
        self.write(&name, &bytes)?;
        self.write(NEWEST, &bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = self.0.join(format!(".{name}.draft"));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(draft, self.0.join(name))
    }

    /// Compares the newest anchor with the log.
    pub async fn compare(&self, log: &EventLog, key: &AnchorPublicKey) -> Result<Standing, LogError> {
        let bytes = match fs::read(self.0.join(NEWEST)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Empty),
            Err(error) => return Ok(Standing::Broken(format!("the newest anchor cannot be read: {error}"))),
        };
        let Some(anchored) = key.open(&bytes) else {
            return Ok(Standing::Broken("the newest anchor was not signed by this log".to_owned()));
        };
        let (log_id, head) = log.place().await?;
        let at = anchored.position;
        let broken = if anchored.log_id != log_id {
            format!("the newest anchor, at {at}, is of the log {}", anchored.log_id)
        } else if at > head {
            format!("the log ends at {head}, before the newest anchor at {at}")
        } else if log.chain_at(at).await?.is_some_and(|chain| chain != anchored.chain) {
            format!("position {at} is not what the newest anchor says")
        } else {
            return Ok(Standing::Holds(anchored));
        };
        Ok(Standing::Broken(broken))
    }

    /// What all anchors say, by time; and the files that hold none of this key.
    pub fn all(&self, key: &AnchorPublicKey) -> io::Result<(Vec<LogHead>, Vec<PathBuf>)> {
        let (mut heads, mut strange) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match key.open(&fs::read(&path)?) {
                Some(head) => heads.push(head),
                None => strange.push(path),
            }
        }
        heads.sort_by_key(|head| head.at);
        Ok((heads, strange))
    }
}
