//! The maker's side of updates: a pair of keys, a signature.

use crate::update::{
    file::{self, Manifest},
    keys::Maker as Pair,
    release::About,
};
use anyhow::bail;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What makers do, on a machine of theirs.
#[derive(clap::Subcommand)]
pub(crate) enum Maker {
    /// Sign a Debian package: writes PACKAGE.usher, one file that boxes take.
    Sign {
        /// The maker's private key (0600).
        #[arg(long, value_name = "KEY")]
        key: PathBuf,
        /// The package, `usher_VERSION_ARCHITECTURE.deb`.
        package: PathBuf,
        /// The file to write; without it the package's name, ending in `.usher`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a pair of keys, unless FILE holds one, and print the line for the boxes' update.pub.
    Key {
        /// The private key; keep it off the boxes, and off the net.
        file: PathBuf,
    },
}

pub(super) fn run(what: &Maker) -> anyhow::Result<ExitCode> {
    match what {
        Maker::Key { file } => {
            let pair = if file.exists() { Pair::read(file)? } else { Pair::make(file)? };
            println!("{}", pair.public());
        }
        Maker::Sign { key, package, out } => {
            let out = out.clone().unwrap_or_else(|| package.with_extension("usher"));
            sign(&Pair::read(key)?, package, &out)?;
            println!("{}", out.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn sign(pair: &Pair, package: &Path, out: &Path) -> anyhow::Result<()> {
    let about = About::of_package(package)?;
    if about.package != "usher" {
        bail!("{} is the package {}; sign that of usher", package.display(), about.package);
    }
    let (sha256, length) = file::measured(package)?;
    let About { package: name, version, architecture, .. } = about;
    let manifest = Manifest { architecture, length, package: name, sha256, version };
    Ok(file::sign(pair, &manifest, package, out)?)
}
