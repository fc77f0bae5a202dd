//! Owns the log file of a server: opening it for a start, keeping it short, quoting its last lines.
//! Refuses to interpret it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::EmbeddedError;

/// A log longer than this is put aside (one generation) at the next start.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 15;

/// The last lines of a log or of a program's output, from byte `start` on.
pub(crate) fn tail(path: &Path, start: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(TAIL_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_else(|error| format!("(no log: {error})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The log to append to, and the byte at which this start's lines begin.
pub(crate) fn open(path: &Path) -> Result<(File, u64), EmbeddedError> {
    let length = fs::metadata(path).map_or(0, |found| found.len());
    if length > LOG_BYTES_MAX {
        fs::rename(path, path.with_extension("log.old")).map_err(EmbeddedError::file("put aside", path))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(EmbeddedError::file("open", path))?;
    Ok((file, if length > LOG_BYTES_MAX { 0 } else { length }))
}
