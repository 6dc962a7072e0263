//! `usher calibrate`: thresholds with a promise, and whether the promise is true.

mod simulate;
mod site;

use crate::cli::{Common, MEND_ME, evaluate::share};
use std::{path::PathBuf, process::ExitCode};

/// Find the thresholds that a site's own walks support, and have its gates use them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A log of who walked in recordings of this site's cameras (`usher schema walks`). What its walks support is written to the
    /// data folder, signed with the box key, and used from the gate's next start on.
    #[arg(long, value_name = "FILE", required_unless_present = "simulate")]
    log: Option<PathBuf>,
    /// Instead, hold the method against so many simulated sites whose true error rates are known.
    #[arg(long, value_name = "SITES", value_parser = clap::value_parser!(u64).range(1..=10_000), conflicts_with = "log")]
    simulate: Option<u64>,
    /// Of simulated sites: the share of people who never enrolled that may be named.
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    target: f64,
    /// Write nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(sites) = args.simulate {
        return simulate::run(common, sites, args.target);
    }
    let Some(log) = &args.log else { return Ok(ExitCode::from(MEND_ME)) };
    site::run(common, log, args.dry_run)
}
