//! `usher doctor`: one screen of everything a gate stands on, each fault with its mend.

mod gate;
mod machine;

use crate::{
    capture::decoders,
    cli::{
        Common, MEND_ME,
        check::{self, probe},
    },
    clock::{Clock as _, SystemClock},
    guide::live::Live,
    infer::networks,
};
use serde::Serialize;
use std::{process::ExitCode, time::Duration};
use usher_config::{Config, Problems};

/// Look over everything a gate stands on: configuration, weights, device, decoders, cameras, broker, disk, clock, permissions.
/// Exit code 1 when something is bad, 78 when the configuration is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long a camera or broker may take to answer, where no gate runs that could be asked.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// As it should be.
    Good,
    /// A gate runs so, but somebody should look at it.
    Doubtful,
    /// A gate does not run so, or not all of it.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What.
    what: String,
    /// How it is.
    state: State,
    /// What was seen.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Good, found: found.into(), mend: None }
    }

    fn doubtful(what: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Doubtful, found: found.into(), mend: Some(mend.into()) }
    }

    fn bad(what: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Bad, found: found.into(), mend: Some(mend.into()) }
    }

    /// Of a sentence that holds its mend behind a semicolon or colon already.
    fn said(what: impl Into<String>, state: State, sentence: &str) -> Self {
        Self { what: what.into(), state, found: sentence.to_owned(), mend: None }
    }
}

/// A finding in words, what was looked at in a column of so many letters.
fn line(finding: &Finding, width: usize) -> String {
    let mark = match finding.state {
        State::Good => "ok ",
        State::Doubtful => "?  ",
        State::Bad => "BAD",
    };
    let mend = finding.mend.iter().map(|mend| format!("\n{:indent$}mend: {mend}", "", indent = width + 7));
    format!("{mark}  {:<width$}  {}{}", finding.what, finding.found, mend.collect::<String>())
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let (findings, code) = looked(common, Duration::from_secs(args.timeout))?;
    let is_bad = findings.iter().any(|finding| finding.state == State::Bad);
    if common.json {
        println!("{:#}", serde_json::json!({ "ok": !is_bad, "findings": findings }));
    } else {
        let width = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
        findings.iter().for_each(|finding| println!("{}", line(finding, width)));
        let count = |state| findings.iter().filter(|finding| finding.state == state).count();
        println!("\n{} good, {} doubtful, {} bad", count(State::Good), count(State::Doubtful), count(State::Bad));
    }
    Ok(if is_bad { ExitCode::from(code) } else { ExitCode::SUCCESS })
}

/// All that is found, and the exit code that a bad finding has.
pub(crate) fn looked(common: &Common, timeout: Duration) -> anyhow::Result<(Vec<Finding>, u8)> {
    let mut findings = vec![Finding::good("usher", version())];
    let code = match usher_config::read(&common.config) {
        Ok(config) => {
            findings.push(Finding::good("configuration", common.config.display().to_string()));
            configured(&config, timeout, &mut findings)?;
            findings.extend(machine::secret(&common.config));
            1
        }
        Err(problems) => {
            findings.extend(of_problems("configuration", &problems));
            MEND_ME
        }
    };
    findings.push(decoders_found());
    findings.push(machine::clock(SystemClock::start().now().wall));
    Ok((findings, code))
}

/// What a configuration names.
fn configured(config: &Config, timeout: Duration, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    findings.extend(config.warnings().iter().map(|text| Finding::said("configuration", State::Doubtful, text)));
    let (live, problems) = Live::open(&config.guide);
    match problems {
        Some(problems) => findings.extend(of_problems("guide", &problems)),
        None => findings.extend(live.load().places.iter().flat_map(|places| {
            let strangers = check::places::strangers(places, config);
            strangers.into_iter().map(|text| Finding::said("guide", State::Doubtful, &text))
        })),
    }
    let missing = check::weights_missing(config)?;
    if missing.is_empty() {
        findings.push(Finding::good("weights", "all that this configuration names are installed"));
    }
    findings.extend(missing.iter().map(|text| Finding::said("weights", State::Bad, text)));
    findings.push(match networks::compute(config.infer.device) {
        Ok(compute) => Finding::good("device", compute.name()),
        Err(error) => Finding::bad("device", error.to_string(), "name another `infer.device`, or mend the driver"),
    });
    match gate::asked(config.web.listen, timeout) {
        Some(gate) => findings.extend(gate),
        None => findings.extend(probed(config, timeout)),
    }
    findings.extend(machine::data(&config.data));
    findings.extend(machine::devices(config));
    Ok(())
}

/// Nobody runs who could be asked: every camera and the broker are tried.
fn probed(config: &Config, timeout: Duration) -> Vec<Finding> {
    let probed = probe::all(config, timeout);
    let gate =
        Finding::said("gate", State::Doubtful, "no gate runs on this box: cameras and broker were tried instead");
    let cameras = probed.cameras().map(|(name, found)| match found {
        Ok(camera) => Finding::good(format!("camera {name}"), camera),
        Err(reason) => Finding::said(format!("camera {name}"), State::Bad, &reason),
    });
    let broker = match probed.broker() {
        Ok(found) => Finding::good("broker", found),
        Err(reason) => Finding::said("broker", State::Bad, reason),
    };
    std::iter::once(gate).chain(cameras).chain([broker]).collect()
}

fn of_problems(what: &str, problems: &Problems) -> Vec<Finding> {
    let finding = |problem: &usher_config::Problem| {
        let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
        Finding::bad(what, format!("{place}: {}", problem.message), problem.mend.clone())
    };
    problems.iter().map(finding).collect()
}

fn decoders_found() -> Finding {
    let mend = "install gstreamer1.0-libav, gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad";
    let found = match decoders::found() {
        Ok(found) => found,
        Err(why) => return Finding::bad("decoders", why, mend),
    };
    let words: Vec<String> = found
        .iter()
        .map(|(format, decoders)| format!("{format}: {}", decoders.first().map_or("none", String::as_str)))
        .collect();
    let words = words.join(", ");
    if found.iter().all(|(_, decoders)| !decoders.is_empty()) {
        Finding::good("decoders", words)
    } else {
        Finding::doubtful("decoders", words, mend)
    }
}

fn version() -> String {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    format!(
        "{}, {} {} on {}",
        env!("CARGO_PKG_VERSION"),
        text(uname.sysname()),
        text(uname.release()),
        text(uname.machine())
    )
}
