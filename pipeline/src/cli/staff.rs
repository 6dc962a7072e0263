//! `usher staff`: tokens by which staff open enrolment stations.

use crate::{
    cli::{Common, configured},
    gallery::name::shown,
    web::staff,
};
use anyhow::Context;
use std::{os::unix::fs::DirBuilderExt as _, process::ExitCode};

/// Give staff tokens to open enrolment stations with, and take them back. A running gate asks at every sign-in; who is signed in stays so for at most twelve hours.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Give somebody a token; it is printed once. An earlier one of theirs ends.
    Add {
        /// Whose, such as `desk-1`.
        name: String,
    },
    /// Take a token back.
    Remove {
        /// Whose.
        name: String,
    },
    /// List who has one.
    List,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let path = config.data.join(staff::NAME);
    let about = || path.display().to_string();
    match &args.what {
        What::Add { name } => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data).with_context(about)?;
            println!("{}", staff::add(&path, &shown(name)?).with_context(about)?.reveal());
        }
        What::Remove { name } => {
            if !staff::remove(&path, name).with_context(about)? {
                anyhow::bail!("nobody by this name has a token; `usher staff list` shows who has");
            }
        }
        What::List => {
            for name in staff::read(&path).with_context(about)?.keys() {
                println!("{name}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
