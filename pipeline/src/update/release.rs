//! A release: a folder with the program, its unit and what it says of itself.

use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The program's name in a release.
pub const PROGRAM: &str = "usher";
/// What a release says of itself.
const ABOUT: &str = "release.json";
/// Where a package holds its release.
pub const IN_PACKAGE: &str = "usr/lib/usher/packaged";

/// What a release says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `usher`.
    pub package: String,
    /// As Debian compares versions.
    pub version: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// When it was made, seconds since 1970.
    pub made: u64,
}

/// Why a release or a package is none.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// No `release.json`, or another than expected.
    #[error("{folder} is no release of usher ({what}); install the Debian package once, updates go on from there")]
    Other {
        /// The folder.
        folder: PathBuf,
        /// What about it is not.
        what: String,
    },
    /// A tool of Debian's did not do.
    #[error("`{tool}` failed: {said}; usher updates itself on Debian and Ubuntu only")]
    Tool {
        /// Its name.
        tool: &'static str,
        /// What it said.
        said: String,
    },
    /// The program does not run here.
    #[error("usher {version} does not run here: {said}; nothing was changed")]
    Lame {
        /// Its version.
        version: String,
        /// What it said.
        said: String,
    },
}

impl About {
    /// Of the release in a folder.
    ///
    /// # Errors
    /// [`ReleaseError::Other`].
    pub fn of(folder: &Path) -> Result<Self, ReleaseError> {
        let other = |what| ReleaseError::Other { folder: folder.to_owned(), what };
        let text = fs::read(folder.join(ABOUT)).map_err(|why| other(format!("{ABOUT}: {why}")))?;
        serde_json::from_slice(&text).map_err(|why| other(format!("{ABOUT}: {why}")))
    }

    /// Of a Debian package.
    ///
    /// # Errors
    /// [`ReleaseError::Tool`].
    pub fn of_package(package: &Path) -> Result<Self, ReleaseError> {
        let mut asked = Command::new("dpkg-deb");
        asked.args(["--show", "--showformat", "${Package}\n${Version}\n${Architecture}\n"]).arg(package);
        let said = of_tool("dpkg-deb", &mut asked)?;
        let mut fields = said.lines().map(str::to_owned);
        match (fields.next(), fields.next(), fields.next()) {
            (Some(package), Some(version), Some(architecture)) => Ok(Self { package, version, architecture, made: 0 }),
            _ => Err(ReleaseError::Tool { tool: "dpkg-deb", said }),
        }
    }
}

/// Unpacks a Debian package into a folder.
///
/// # Errors
/// [`ReleaseError::Tool`].
pub fn unpack(package: &Path, folder: &Path) -> Result<(), ReleaseError> {
    of_tool("dpkg-deb", Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder)).map(drop)
}

/// This machine's architecture, as Debian names it.
///
/// # Errors
/// [`ReleaseError::Tool`].
pub fn architecture() -> Result<String, ReleaseError> {
    Ok(of_tool("dpkg", Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned())
}

/// Whether one version is later than another, as Debian compares them.
///
/// # Errors
/// [`ReleaseError::Tool`].
pub fn is_later(version: &str, than: &str) -> Result<bool, ReleaseError> {
    let failed = |why: io::Error| ReleaseError::Tool { tool: "dpkg", said: why.to_string() };
    let asked = Command::new("dpkg").args(["--compare-versions", version, "gt", than]).stdin(Stdio::null()).status();
    match asked.map_err(failed)?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(ReleaseError::Tool { tool: "dpkg", said: format!("{version} and {than} are not compared") }),
    }
}

/// Runs the program of a release on this machine, and lets it look at the configuration that it would run with, where there
/// is one.
///
/// # Errors
/// [`ReleaseError::Lame`].
pub fn try_out(folder: &Path, version: &str, config: &Path) -> Result<(), ReleaseError> {
    let lame = |said| ReleaseError::Lame { version: version.to_owned(), said };
    let program = folder.join(PROGRAM);
    let runs = |command: &mut Command| -> Result<(), ReleaseError> {
        let output = command.stdin(Stdio::null()).output().map_err(|why| lame(why.to_string()))?;
        if output.status.success() { Ok(()) } else { Err(lame(said(&output))) }
    };
    runs(Command::new(&program).arg("--version"))?;
    if config.exists() {
        runs(Command::new(&program).arg("check").arg("--config").arg(config))?;
    }
    Ok(())
}

/// How a command ended, in one line of its own words.
fn said(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    format!("{}, {}", output.status, if words.is_empty() { "without a word".to_owned() } else { words.join(" ") })
}

fn of_tool(tool: &'static str, command: &mut Command) -> Result<String, ReleaseError> {
    let output = command.stdin(Stdio::null()).env("LC_ALL", "C").output();
    let output = output.map_err(|why| ReleaseError::Tool { tool, said: why.to_string() })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(ReleaseError::Tool { tool, said: said(&output) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_debian_does() {
        for (later, earlier) in [("0.2.0", "0.1.0"), ("0.10.0", "0.9.0"), ("1.0.0", "1.0.0~rc1"), ("1:0.1", "9")] {
            assert!(is_later(later, earlier).unwrap(), "{later} {earlier}");
            assert!(!is_later(earlier, later).unwrap(), "{earlier} {later}");
        }
        assert!(!is_later("0.1.0", "0.1.0").unwrap());
    }

    #[test]
    fn a_folder_that_is_no_release_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        assert!(About::of(folder.path()).unwrap_err().to_string().contains("install the Debian package once"));
        let error = try_out(folder.path(), "0.2.0", Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("usher 0.2.0 does not run here") && error.contains("nothing was changed"), "{error}");
    }
}
