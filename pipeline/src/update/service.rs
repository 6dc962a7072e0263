//! The service that an update is for: asked, and started again, by systemd.

use std::process::{Command, Stdio};

/// The gate's unit.
pub const UNIT: &str = "usher.service";

/// Why the service did not start again.
#[derive(Debug, thiserror::Error)]
#[error("`systemctl {what}` failed: {said}; `journalctl -u {unit}` says why")]
pub struct ServiceError {
    what: String,
    said: String,
    unit: String,
}

/// Whether the service runs now; false where there is no systemd.
pub fn runs(unit: &str) -> bool {
    let asked = Command::new("systemctl").args(["--quiet", "is-active", unit]).stdin(Stdio::null()).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Starts the service again, with the unit that is there now; returns once it says that it is ready, or has failed.
///
/// # Errors
/// [`ServiceError`].
pub fn restart(unit: &str) -> Result<(), ServiceError> {
    systemctl(unit, &["daemon-reload"])?;
    // It may have failed so often that systemd would start it no more.
    let _never_failed = systemctl(unit, &["reset-failed", unit]);
    systemctl(unit, &["restart", unit])
}

fn systemctl(unit: &str, words: &[&str]) -> Result<(), ServiceError> {
    let failed = |said| ServiceError { what: words.join(" "), said, unit: unit.to_owned() };
    let output = Command::new("systemctl").args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("without a word").to_owned();
    Err(failed(said))
}
