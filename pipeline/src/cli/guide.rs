//! `usher guide`: what visitors hear, tried out.

mod plan;

use crate::cli::Common;
use clap::Subcommand;
use std::process::ExitCode;

/// Try what visitors hear of programme and places.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Plan(plan::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Plan(args) => plan::run(common, args),
    }
}
