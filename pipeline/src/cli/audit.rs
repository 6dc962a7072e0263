//! `usher audit`: proof of what was done with whose consent.

use crate::{
    cli::{Common, configured, list::words},
    clock::{Clock, SystemClock},
    gallery::{
        audit::verify::{Report, verify},
        key::BoxKey,
        lowering::lower,
        name::shown,
        receipt::{Signer, signed_by},
        store,
    },
};
use anyhow::{Context, bail};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime},
};

/// Prove that no template outlives its consent, and that nobody changed the audit log.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Hold the gallery and the audit log against each other. Exit code 1 when something is wrong.
    Verify,
    /// Print the box's public key, which receipts are held against.
    Key,
    /// Bring the time floor down to the clock, after a clock showed the far future and was believed. Only while no gate runs
    /// and nobody is enrolled; the audit log says who asked for it.
    LowerFloor {
        /// Who asks for it: name and role, for the audit log.
        #[arg(long, value_name = "WHO")]
        by: String,
        /// What a watch shows that is not this box's: `2026-12-01T18:00` here, or RFC 3339. The box's clock may differ from it
        /// by ten minutes.
        #[arg(long, value_name = "TIME")]
        time: String,
    },
    /// Say whether a receipt is this box's and unchanged. Exit code 1 when it is not.
    Receipt {
        /// The receipt, JSON.
        file: PathBuf,
    },
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let path = config.data.join(store::NAME);
    if !path.exists() {
        bail!("{} is not there: nobody was ever enrolled here", path.display());
    }
    let key = BoxKey::of(&config, &path)?;
    match &args.what {
        What::LowerFloor { by, time } => lower_floor(&path, key, by, time),
        What::Key => {
            println!("{}", Signer::of(&key).public());
            Ok(ExitCode::SUCCESS)
        }
        What::Receipt { file } => {
            let text = std::fs::read(file).with_context(|| file.display().to_string())?;
            let receipt = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
            let is_ours = signed_by(&receipt).is_some_and(|by| by == Signer::of(&key).public());
            println!(
                "{}",
                if is_ours { "signed by this box, and unchanged" } else { "not a receipt of this box, or changed" }
            );
            Ok(if is_ours { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        What::Verify => {
            let report = verify(&path, &key, SystemClock::start().now().wall)?;
            if common.json {
                let mut told = serde_json::to_value(&report)?;
                told["whole"] = report.is_whole().into();
                println!("{told}");
            } else {
                say(&report);
            }
            Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// How far the box's clock may be from the watch of whoever asks.
const APART: Duration = Duration::from_secs(10 * 60);

fn lower_floor(path: &Path, key: BoxKey, by: &str, time: &str) -> anyhow::Result<ExitCode> {
    let (by, now) = (shown(by).context("--by")?, SystemClock::start().now().wall);
    let watch = moment(time, &jiff::tz::TimeZone::system())?;
    let apart = watch.duration_since(now).or_else(|_| now.duration_since(watch)).unwrap_or_default();
    if apart > APART {
        bail!("this box's clock shows {}, your watch {}; set the clock first", words(now), words(watch));
    }
    let before = lower(path, key, &by, now)?;
    println!("the time floor came down from {} to {}; start the gate again", words(before), words(now));
    Ok(ExitCode::SUCCESS)
}

/// RFC 3339, or a time here.
fn moment(text: &str, zone: &jiff::tz::TimeZone) -> anyhow::Result<SystemTime> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.into());
    }
    let local = text.parse::<jiff::civil::DateTime>();
    let local = local.with_context(|| format!("`--time {text}` is no time; write `2026-12-01T18:00` or RFC 3339"))?;
    Ok(local.to_zoned(zone.clone())?.timestamp().into())
}

fn say(report: &Report) {
    println!(
        "{} lines, {} visitors, {} templates; {}",
        report.lines,
        report.visitors,
        report.templates,
        if report.is_whole() { "all with their consent, the log is whole" } else { "something is wrong:" }
    );
    if let Some(broken) = &report.broken {
        println!("the log is not whole: {broken}");
    }
    if !report.is_own {
        println!("the log is a copy: whoever is in it is forgotten when a gate starts with it");
    }
    for (people, what) in [
        (&report.without_consent, "is here without a consent"),
        (&report.forgotten_and_here, "was forgotten and is here"),
        (&report.outlived, "is here longer than agreed"),
        (&report.prolonged, "has another end than agreed"),
    ] {
        for id in people {
            println!("{id} {what}");
        }
    }
    if report.orphans > 0 {
        println!("{} templates or crops belong to nobody", report.orphans);
    }
}
