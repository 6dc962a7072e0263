//! `usher flow simulate`: match days whose truth is known, and what queue, projection and advice make of them.

use crate::{
    cli::Common,
    flow::simulate::{
        LaneChange, Settings, Simulated,
        followed::{Days, Followed, days, followed},
        measured::{Figures, Measured},
        reference::Reference,
        simulate, written,
    },
};
use anyhow::Context;
use jiff::civil::Time;
use serde::Serialize;
use std::{fs, path::PathBuf, process::ExitCode};
use usher_config::value::Name;

/// Seeds of the days that the reference forecast learns from; days that are simulated have smaller ones.
const LEARNT_FROM: std::ops::Range<u64> = 1_000_000..1_000_012;

/// The exit code of a command line that is wrong, as clap has it.
const WRONG_COMMAND_LINE: u8 = 2;

/// Simulate match days, and hold what usher would say against the truth.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Decides everything that chance decides; the same seed gives the same days.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1_000_000))]
    seed: u64,
    /// Days, one after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Gates.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=26))]
    gates: u32,
    /// Write counts (`timestamp,count`), the truth beside them and the programme into this folder.
    #[arg(long, value_name = "FOLDER")]
    csv: Option<PathBuf>,
    /// What if: two lanes more at a gate from a time on, each day (`gate-a=+2@18:10`); `-1` closes one. May be given several times.
    #[arg(long, value_name = "GATE=LANES@TIME", value_parser = lane_change)]
    open_lanes: Vec<LaneChange>,
    /// Simulate the days once more with staff and visitors who follow the advice.
    #[arg(long)]
    follow_advice: bool,
}

/// What is said.
#[derive(Serialize)]
struct Told {
    seed: u64,
    days: u32,
    gates: Vec<Gate>,
    #[serde(flatten)]
    figures: Figures,
    /// All gates together; as planned, and with what was asked for.
    as_planned: Days,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<Days>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Followed>,
}

#[derive(Serialize)]
struct Gate {
    gate: Name,
    lanes: u32,
    limit_seconds: u64,
    arrived: u64,
    longest_queue: u32,
    longest_wait_seconds: f64,
    minutes_over_limit: usize,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let settings = Settings { seed: args.seed, days: args.days, gates: args.gates, ..Settings::default() };
    let plain = simulate(&settings);
    let known: Vec<&str> = plain.gates.iter().map(|gate| gate.name.as_str()).collect();
    if let Some(change) = args.open_lanes.iter().find(|change| !known.contains(&change.gate.as_str())) {
        eprintln!(
            "--open-lanes names the gate `{}`, and there is none; write one of: {}",
            change.gate,
            known.join(", ")
        );
        return Ok(ExitCode::from(WRONG_COMMAND_LINE));
    }
    if let Some(folder) = &args.csv {
        write(&plain, folder)?;
    }
    let reference = Reference::learnt(LEARNT_FROM);
    let figures = Measured::of(&plain, &reference).figures();
    let changed = Settings { changes: args.open_lanes.clone(), ..settings.clone() };
    let what_if = (!args.open_lanes.is_empty()).then(|| days(&simulate(&changed)));
    let advice = args.follow_advice.then(|| followed(&settings, &reference));
    let gates = plain.gates.iter().map(|gate| {
        let waits = || gate.minutes.iter().filter_map(|minute| minute.wait_seconds);
        Gate {
            gate: gate.name.clone(),
            lanes: gate.lanes,
            limit_seconds: gate.limit.as_secs(),
            arrived: gate.minutes.iter().map(|minute| u64::from(minute.arrived)).sum(),
            longest_queue: gate.minutes.iter().map(|minute| minute.queue).max().unwrap_or(0),
            longest_wait_seconds: waits().fold(0.0, f64::max),
            minutes_over_limit: waits().filter(|wait| *wait > gate.limit.as_secs_f64()).count(),
        }
    });
    let told = Told {
        seed: args.seed,
        days: args.days,
        gates: gates.collect(),
        figures,
        as_planned: days(&plain),
        what_if,
        advice,
    };
    if common.json {
        println!("{}", serde_json::to_string(&told)?);
    } else {
        print!("{}", words(&told));
    }
    Ok(ExitCode::SUCCESS)
}

/// The files of a backtest.
fn write(simulated: &Simulated, folder: &std::path::Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let write = |name: String, text: String| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    };
    for gate in &simulated.gates {
        write(format!("{}.csv", gate.name), written::csv(gate))?;
        write(format!("{}-truth.csv", gate.name), written::truth(gate))?;
    }
    write("programme.yaml".to_owned(), written::programme(simulated))
}

/// `gate-a=+2@18:10`.
fn lane_change(text: &str) -> Result<LaneChange, String> {
    let mend = "write for instance `gate-a=+2@18:10`";
    let (gate, rest) = text.split_once('=').ok_or(mend)?;
    let (lanes, at) = rest.split_once('@').ok_or(mend)?;
    let gate = Name::new(gate).ok_or_else(|| format!("`{gate}` is no gate's name; {mend}"))?;
    let lanes: i32 = lanes.parse().map_err(|_| format!("`{lanes}` is no number of lanes; {mend}"))?;
    if lanes == 0 || lanes.abs() > 100 {
        return Err(format!("`{lanes}` lanes change nothing that could be; {mend}"));
    }
    let at: Time = at.parse().map_err(|_| format!("`{at}` is no time of day; {mend}"))?;
    Ok(LaneChange { gate, lanes, at })
}

/// The same in words.
fn words(told: &Told) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for gate in &told.gates {
        let _ = writeln!(
            text,
            "{}: {} people, at most {} in the queue and {:.0} s of waiting; {} minutes over the limit of {} s",
            gate.gate,
            gate.arrived,
            gate.longest_queue,
            gate.longest_wait_seconds,
            gate.minutes_over_limit,
            gate.limit_seconds
        );
    }
    let figures = &told.figures;
    let _ = writeln!(
        text,
        "wait now: 19 of 20 errors are at most {:.0} s ({} minutes in which people waited)",
        figures.wait_error_p95_seconds, figures.minutes_waited
    );
    for ahead in &figures.projection {
        if let Some(share) = ahead.wait_coverage80 {
            let (minutes, of) = (ahead.minutes, ahead.projections);
            let _ = writeln!(
                text,
                "in {minutes} minutes: the 80 % interval of the wait held {:.0} % of {of}",
                100.0 * share
            );
        }
    }
    let mut line = |name: &str, days: &Days| {
        let _ = writeln!(
            text,
            "{name}: {} of {} people over the limit, mean wait {:.0} s, longest {:.0} s, {:.0} lane hours",
            days.over_limit, days.people, days.mean_wait_seconds, days.longest_wait_seconds, days.lane_hours
        );
    };
    line("as planned", &told.as_planned);
    if let Some(days) = &told.what_if {
        line("what if", days);
    }
    if let Some(followed) = &told.advice {
        line("with advice", &followed.with);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_lanes_is_read_and_a_wrong_one_says_the_mend() {
        let change = lane_change("gate-b=+2@18:10").unwrap();
        assert_eq!((change.gate.as_str(), change.lanes, change.at), ("gate-b", 2, jiff::civil::time(18, 10, 0, 0)));
        assert_eq!(lane_change("gate-b=-1@09:00").unwrap().lanes, -1);
        for wrong in ["gate-b", "gate-b=2", "gate-b=two@18:10", "gate-b=2@25:10", "Gate B=2@18:10", "gate-b=0@18:10"] {
            assert!(lane_change(wrong).unwrap_err().contains("gate-a=+2@18:10"), "{wrong}");
        }
    }
}
