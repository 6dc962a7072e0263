//! The command line of `usher-sim`.

use crate::{day::Day, plant::Plant, play, report::Report};
use clap::Parser;
use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use usher::clock::{Clock as _, SystemClock};

/// Simulated venue days: the gate's own stages under every fault, and what must hold at every step.
#[derive(Debug, Parser)]
#[command(name = "usher-sim", version)]
struct Asked {
    /// One day: this one.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Many days: from A up to B, B not among them.
    #[arg(long, value_name = "A..B", default_value = "0..200", value_parser = range)]
    seeds: (u64, u64),
    /// Walks of a day.
    #[arg(long, default_value_t = Day::default().walks)]
    walks: usize,
    /// Gates, 1 to 26.
    #[arg(long, default_value_t = Day::default().gates)]
    gates: usize,
    /// A day on which nothing fails.
    #[arg(long)]
    calm: bool,
    /// So many times as many people in the middle of the day.
    #[arg(long, default_value_t = 1)]
    overload: u32,
    /// With a faulty part.
    #[arg(long, value_enum)]
    plant: Option<Plant>,
    /// One line of JSON at the end.
    #[arg(long)]
    json: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    ends.filter(|(from, to)| from < to).ok_or_else(|| format!("`{text}` is no range of seeds; write 0..200"))
}

/// Plays what was asked for; 1 where a rule did not hold, 2 where the question cannot be understood.
pub fn main() -> ExitCode {
    let asked = Asked::parse();
    let day = Day {
        walks: asked.walks,
        gates: asked.gates,
        faults: !asked.calm,
        overload: asked.overload,
        plant: asked.plant,
    };
    let (from, to) = asked.seed.map_or(asked.seeds, |seed| (seed, seed + 1));
    let clock = SystemClock::start();
    match many(from, to, day) {
        Ok(reports) => {
            let failed: Vec<&Report> = reports.iter().filter(|report| report.violation.is_some()).collect();
            for report in failed.iter().take(SHOWN) {
                say(&shown(report, &day));
            }
            let took = clock.now().steady;
            say(&crate::report::summary(&reports, &day, took, asked.json));
            if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&format!("usher-sim: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Failed seeds that are shown with what happened before.
const SHOWN: usize = 5;

#[expect(clippy::print_stdout, reason = "what a command line is for")]
fn say(text: &str) {
    println!("{text}");
}

fn shown(report: &Report, day: &Day) -> String {
    let Some((violation, told)) = &report.violation else { return String::new() };
    let (line, at) = (replay(report.seed, day), violation.at.as_secs_f64());
    format!("{}\n{line}: {at:.3} s: {}: {}", told.join("\n"), violation.rule, violation.says)
}

/// The command line that plays this seed's day again.
pub fn replay(seed: u64, day: &Day) -> String {
    let default = Day::default();
    let number = |name: &str, now: usize, else_: usize| {
        if now == else_ { String::new() } else { format!(" --{name} {now}") }
    };
    let (walks, gates) = (number("walks", day.walks, default.walks), number("gates", day.gates, default.gates));
    let overload = number("overload", day.overload as usize, default.overload as usize);
    let plant = day.plant.map(|plant| format!(" --plant {}", plant.word())).unwrap_or_default();
    let calm = if day.faults { "" } else { " --calm" };
    format!("usher-sim --seed {seed}{walks}{gates}{overload}{plant}{calm}")
}

/// Plays `from` up to `to`, a thread for each core.
///
/// # Errors
/// The first that a machine could not play.
pub fn many(from: u64, to: u64, day: Day) -> anyhow::Result<Vec<Report>> {
    let (next, done) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    let work = || -> anyhow::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= to {
                return Ok(());
            }
            let report = play(seed, day)?;
            done.lock().expect("no holder of this lock panics").push(report);
        }
    };
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a day that panics ends the run"))
    })?;
    let mut reports = done.into_inner().expect("no holder of this lock panics");
    reports.sort_by_key(|report| report.seed);
    Ok(reports)
}
