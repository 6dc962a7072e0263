//! `usher calibrate`: thresholds with a promise, and whether the promise is true.

use crate::{
    accuracy::{rates::Rate, simulation::simulated},
    cli::{Common, evaluate::share},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::process::ExitCode;

/// Hold the method of calibration against simulated sites whose true error rates are known.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many sites.
    #[arg(long, value_name = "SITES", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    simulate: u64,
    /// The share of people who never enrolled that may be named.
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    target: f64,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(args.simulate)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} sites, {eta} to go")?);
    let simulated = simulated(args.simulate, args.target, || bar.inc(1));
    bar.finish_and_clear();
    // What went right, as shares.
    let right = |rate: &Rate| rate.share().map(|share| 1.0 - share);
    let interval = |rate: &Rate| {
        let (low, high) = rate.interval();
        [1.0 - high, 1.0 - low]
    };
    let median = simulated.stricter.get(simulated.stricter.len() / 2);
    if common.json {
        let json = json!({
            "sites": simulated.above_target.trials, "target": args.target,
            "met": right(&simulated.above_target), "met_interval": interval(&simulated.above_target),
            "covered": right(&simulated.not_covered), "covered_interval": interval(&simulated.not_covered),
            "monotone": simulated.falling.errors == 0, "median_times_stricter": median,
        });
        println!("{json}");
    } else {
        println!("{} sites, target FPIR {}", simulated.above_target.trials, args.target);
        println!("true FPIR above the target: {}", simulated.above_target);
        println!("true FPIR outside its nominal 95 % interval: {}", simulated.not_covered);
        println!("threshold falls as the gallery grows: {}", simulated.falling);
        if let Some(median) = median {
            println!("in the median site {median:.1} times stricter than asked for");
        }
    }
    Ok(ExitCode::SUCCESS)
}
