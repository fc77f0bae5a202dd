//! Secrets of an installation: the master key, and files that only their owner may read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use event_log::{MasterKey, clock};

use crate::config::{Config, SECRET_CHARS_MIN};

/// The master key of the configuration, and those that are accepted beside it.
pub fn master_key(config: &Config) -> anyhow::Result<MasterKey> {
    let secret = config.secret_key.as_deref().unwrap_or_default();
    if secret.chars().count() < SECRET_CHARS_MIN {
        bail!("ROUTIX_SECRET_KEY is missing or shorter than {SECRET_CHARS_MIN} characters");
    }
    let mut master = MasterKey::from_secret(secret.as_bytes());
    let old = config.secret_key_old.as_deref().unwrap_or_default();
    // A secret may hold a comma itself, so the whole is tried as one too.
    let parts = old.split(',').filter(|part| *part != old).chain([old]);
    let long_enough = |secret: &&str| secret.chars().count() >= SECRET_CHARS_MIN;
    if !old.is_empty() && !parts.clone().any(|part| long_enough(&part)) {
        bail!("no secret in ROUTIX_SECRET_KEY_OLD has {SECRET_CHARS_MIN} characters");
    }
    for secret in parts.filter(long_enough) {
        master = master.accepting(secret.as_bytes());
    }
    Ok(master)
}

/// The secret in the file; a new one on the first start.
pub fn kept_secret(path: &Path) -> anyhow::Result<String> {
    if let Ok(secret) = fs::read_to_string(path) {
        return Ok(secret.trim().to_owned());
    }
    let secret = random_text();
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// A random text that cannot be guessed: 64 hexadecimal digits.
pub fn random_text() -> String {
    format!("{}{}", clock::random_id().simple(), clock::random_id().simple())
}
