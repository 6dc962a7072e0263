//! `usher guide`.

mod plan;

use crate::cli::Common;
use std::process::ExitCode;

/// Try what visitors hear of programme and places.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Plan(plan::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Plan(args) => plan::run(common, args),
    }
}
