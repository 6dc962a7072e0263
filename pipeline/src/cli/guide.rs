//! `usher guide`.

mod check;

use crate::cli::Common;
use std::process::ExitCode;

/// Check what the guide is fed with.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Check(check::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Check(args) => check::run(common, args),
    }
}
