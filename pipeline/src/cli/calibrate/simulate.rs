//! Calibration of simulated sites.

use crate::{
    accuracy::{rates::Rate, simulation::simulated},
    cli::Common,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::process::ExitCode;

/// Calibrates `sites` sites for a share of `target` wrong greetings, and says how that went.
pub(super) fn run(common: &Common, sites: u64, target: f64) -> anyhow::Result<ExitCode> {
    let bar =
        ProgressBar::new(sites).with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} sites, {eta} to go")?);
    let simulated = simulated(sites, target, || bar.inc(1));
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
            "sites": simulated.above_target.trials, "target": target,
            "met": right(&simulated.above_target), "met_interval": interval(&simulated.above_target),
            "covered": right(&simulated.not_covered), "covered_interval": interval(&simulated.not_covered),
            "monotone": simulated.falling.errors == 0, "median_times_stricter": median,
        });
        println!("{json}");
    } else {
        println!("{} sites, target FPIR {}", simulated.above_target.trials, target);
        println!("true FPIR above the target: {}", simulated.above_target);
        println!("true FPIR outside its nominal 95 % interval: {}", simulated.not_covered);
        println!("threshold falls as the gallery grows: {}", simulated.falling);
        if let Some(median) = median {
            println!("in the median site {median:.1} times stricter than asked for");
        }
    }
    Ok(ExitCode::SUCCESS)
}
