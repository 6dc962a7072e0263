//! `usher flow backtest`: how good forecasts would have been.

use crate::{
    cli::{Common, MEND_ME},
    flow::series,
};
use anyhow::Context as _;
use std::{path::PathBuf, process::ExitCode};

/// Forecast a past that is known, always from what was known before, and say how good that was.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Counts: a CSV file with a column of times and one of counts, any step, holes allowed.
    file: PathBuf,
    /// The zone whose clocks times without an offset are by.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
}

pub(crate) fn run(_common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let name = args.file.display().to_string();
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {name}"))?;
    let zone =
        jiff::tz::TimeZone::get(&args.time_zone).context("--time-zone wants an IANA name, such as Europe/Berlin")?;
    match series::read_csv(&text, &zone) {
        Ok(read) => {
            println!("{} rows, {} gaps", read.rows, read.gaps);
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            eprintln!("{}", problems.named(name));
            Ok(ExitCode::from(MEND_ME))
        }
    }
}
