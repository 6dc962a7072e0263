//! `usher guide`.

mod check;
mod plan;

use crate::cli::Common;
use std::process::ExitCode;

/// Check what the guide is fed with, and try what visitors hear of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Check(check::Args),
    Plan(plan::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Check(args) => check::run(common, args),
        What::Plan(args) => plan::run(common, args),
    }
}
