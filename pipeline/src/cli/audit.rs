//! `usher audit`: proof of what was done with whose consent.

use crate::{
    cli::{Common, configured},
    clock::{Clock, SystemClock},
    gallery::{
        audit::verify::{Report, verify},
        key::BoxKey,
        receipt::{Signer, signed_by},
        store,
    },
};
use anyhow::Context;
use std::{path::PathBuf, process::ExitCode};

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
        anyhow::bail!("{} is not there: nobody was ever enrolled here", path.display());
    }
    let key = BoxKey::of(&config, &path)?;
    match &args.what {
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
