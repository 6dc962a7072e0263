//! Files of flow: counts of earlier days, and weather.
//!
//! A gate starts without them and heals by itself; whoever checks wants to know before. Every problem of every file is told, and
//! beside them what is read but never used.

use crate::flow::{
    forecast::weather::Weather,
    series::{self, Series, read_csv},
    stage::learnable,
};
use jiff::tz::TimeZone;
use std::{
    fs,
    path::{Path, PathBuf},
};
use usher_config::{Config, Problem, Problems};

/// What was found.
pub(crate) struct Found {
    /// What must be mended.
    pub(crate) problems: Option<Problems>,
    /// What deserves a second look.
    pub(crate) warnings: Vec<String>,
}

/// Reads the files that `flow` names; times without an offset are by `zone`'s clocks.
pub(crate) fn read(config: &Config, zone: &TimeZone) -> Found {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    if let Some(folder) = &config.flow.history {
        for gate in config.gates.keys() {
            let path = folder.join(format!("{gate}.csv"));
            // A gate may have no history.
            if !path.exists() {
                continue;
            }
            let counts = text(&path).and_then(|text| read_csv(&text, zone).map_err(|found| of(found, &path)));
            match counts {
                Ok(read) => warnings.extend(unused(&read.series, &path)),
                Err(found) => problems.extend(found),
            }
        }
        warnings.extend(strangers(folder, config));
    }
    if let Some(path) = &config.flow.weather {
        let weather = text(path).and_then(|text| Weather::read(&text, zone).map_err(|found| of(found, path)));
        problems.extend(weather.err().unwrap_or_default());
    }
    Found { problems: Problems::of_lines(problems).err(), warnings }
}

fn text(path: &Path) -> Result<String, Vec<Problem>> {
    fs::read_to_string(path).map_err(|reason| {
        let file = path.display().to_string();
        let message = format!("the file cannot be read ({reason})");
        vec![Problem::in_line(&file, 1, "", message, "give a text file in UTF-8 that usher may read")]
    })
}

fn of(found: series::Problems, path: &Path) -> Vec<Problem> {
    let file = path.display().to_string();
    let told = |one: series::Problem| Problem::in_line(&file, one.line.max(1), "", one.message, one.mend);
    found.problems.into_iter().map(told).collect()
}

/// A history whose steps cannot be made those of a forecast.
fn unused(history: &Series, path: &Path) -> Option<String> {
    let step_s = history.step.as_secs_f64();
    learnable(history).is_none().then(|| {
        format!(
            "{}: steps of {step_s} s make no whole minutes, so nothing is learnt from it: give counts of every 1, 5 or 15 minutes",
            path.display()
        )
    })
}

/// Files that belong to no gate.
fn strangers(folder: &Path, config: &Config) -> Vec<String> {
    let is_gate = |stem: &str| config.gates.keys().any(|gate| gate.as_str() == stem);
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(|file| Some(file.ok()?.path()));
    let mut strangers: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .filter(|path| !path.file_stem().and_then(|stem| stem.to_str()).is_some_and(is_gate))
        .collect();
    strangers.sort();
    let gates: Vec<&str> = config.gates.keys().map(|gate| gate.as_str()).collect();
    let gates = gates.join(", ");
    let told = |path: &PathBuf| {
        format!("{} is of no gate, so nobody reads it: call it like a gate (there are: {gates})", path.display())
    };
    strangers.iter().map(told).collect()
}
