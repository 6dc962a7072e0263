//! `usher flow`.

mod backtest;
mod export;
mod replay;
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
    Export(export::Args),
    Replay(replay::Args),
    Simulate(simulate::Args),
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Backtest(args) => backtest::run(common, args),
        What::Export(args) => export::run(common, args),
        What::Replay(args) => replay::run(common, args),
        What::Simulate(args) => simulate::run(common, args),
    }
}
