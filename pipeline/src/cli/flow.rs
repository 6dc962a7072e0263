//! `usher flow`.

mod backtest;

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
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Backtest(args) => backtest::run(common, args),
    }
}
