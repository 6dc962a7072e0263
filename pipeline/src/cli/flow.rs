//! `usher flow`.

mod backtest;
mod simulate;

use crate::cli::Common;
use std::process::ExitCode;

/// How many come, how long they wait, what comes next.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Backtest(backtest::Args),
    Simulate(simulate::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Backtest(args) => backtest::run(common, args),
        What::Simulate(args) => simulate::run(common, args),
    }
}
