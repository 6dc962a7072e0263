//! `usher check`.

pub(super) mod flow;
pub(super) mod places;
pub(super) mod probe;

use crate::{
    cli::{Common, MEND_ME},
    gallery::{
        confinement::Confined,
        decoder::{Decoder, UNFILTERED},
    },
    guide::{
        live::{Guide, Live},
        programme::sports,
    },
    web::enrol::this_program,
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use usher_config::{Config, Problems, decide::Liveness};
use usher_models::weights::{
    install::is_installed,
    lock::{Lock, MODELS},
};

/// Check the configuration, the files of guide and flow, and the weights; with --probe, try cameras and broker.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration; the same as --config.
    file: Option<PathBuf>,
    /// Try every camera and the broker as well. Exit code 1 when one of them does not answer.
    #[arg(long)]
    probe: bool,
    /// How long a camera or broker may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.file.as_ref().unwrap_or(&common.config);
    let (config, guide, of_flow) = match read(path) {
        Ok(read) => read,
        Err(problems) => {
            refuse(&problems, common.json);
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let mut warnings = config.warnings();
    warnings.extend(weights_missing(&config)?);
    warnings.extend(unconfined(&config));
    warnings.extend(guide.places.iter().flat_map(|places| places::strangers(places, &config)));
    warnings.extend(of_flow);
    let probed = args.probe.then(|| probe::all(&config, Duration::from_secs(args.timeout)));
    let ok = probed.as_ref().is_none_or(probe::Probed::is_ok);
    if common.json {
        let (cameras, broker) = probed.as_ref().map_or((Value::Null, Value::Null), probe::Probed::to_json);
        let all = json!({ "ok": ok, "problems": [], "warnings": warnings, "cameras": cameras, "broker": broker });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        if let Some(probed) = &probed {
            println!("{probed}");
        }
        println!("{}: {}", path.display(), summary(&config, &guide, ok));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The configuration, its guide and what deserves a second look in the files of flow; the problems of all files at once where the
/// configuration itself is fine.
fn read(path: &Path) -> Result<(Config, Arc<Guide>, Vec<String>), Problems> {
    let config = usher_config::read(path)?;
    let (live, problems) = Live::open(&config.guide);
    let guide = live.load();
    // As the gate does: the venue's clocks are those of the programme, else the box's.
    let zone = guide.programme.as_ref().map_or_else(TimeZone::system, |programme| programme.time_zone.clone());
    let flow = flow::read(&config, &zone);
    match (problems, flow.problems) {
        (None, None) => Ok((config, guide, flow.warnings)),
        (Some(guide), Some(flow)) => Err(guide.and(flow)),
        (Some(one), None) | (None, Some(one)) => Err(one),
    }
}

fn refuse(problems: &Problems, json: bool) {
    if json {
        let all =
            json!({ "ok": false, "problems": problems.to_json(), "warnings": [], "cameras": null, "broker": null });
        println!("{all:#}");
    } else if std::io::stderr().is_terminal() {
        eprint!("{}", problems.coloured());
    } else {
        eprint!("{problems}");
    }
}

/// A configuration may be written before the weights are there, so this is no problem of the file.
pub(super) fn weights_missing(config: &Config) -> anyhow::Result<Vec<String>> {
    let lock = Lock::read(MODELS)?;
    let folder = config.data.join("models");
    let infer = &config.infer;
    let is_judged = config.gates.values().any(|gate| gate.liveness != Liveness::Off);
    let named = [&infer.detector, &infer.embedder].into_iter().chain(is_judged.then_some(&infer.liveness));
    let used = named.flat_map(|names| names.split('+')).filter_map(|name| lock.network(name));
    Ok(used
        .filter(|network| !is_installed(&folder, network))
        .map(|network| {
            let (name, data) = (&network.name, config.data.display());
            let all = if network.optional { " --all" } else { "" };
            let folder = folder.display();
            format!("the weights of `{name}` are not in {folder}: run `usher models install --data {data}{all}`")
        })
        .collect())
}

/// Strangers' pictures come to a box with an enrolment page only.
fn unconfined(config: &Config) -> Option<String> {
    config.web.enrol.as_ref()?;
    match Decoder::new(&this_program()).confined() {
        Ok(Confined::Filtered) => None,
        Ok(Confined::LimitsOnly) => Some(format!("strangers' pictures are decoded behind limits alone: {UNFILTERED}")),
        Err(error) => Some(format!("the decoder of strangers' pictures does not start ({error})")),
    }
}

fn summary(config: &Config, guide: &Guide, ok: bool) -> String {
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let mut parts = vec![count(config.cameras.len(), "camera"), count(config.gates.len(), "gate")];
    if let Some(programme) = &guide.programme {
        let sessions = count(programme.sessions.len(), "session");
        parts.push(format!("{sessions} of {}", count(sports(programme).len(), "sport")));
    }
    format!("{} ({})", if ok { "ok" } else { "the file is fine, but not everything answers" }, parts.join(", "))
}
