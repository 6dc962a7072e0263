//! `usher update`: a signed file, without a network; taken back by itself where it does not do.

mod maker;

use crate::{
    cli::{Common, MEND_ME, ask::ask},
    clock::SystemClock,
    update::{
        apply::{Done, UpdateError, Updater},
        keys, place, service,
        trial::{Patience, Told},
    },
};
use anyhow::Context as _;
use signal_hook::{consts::signal, flag};
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Update usher from a signed file, without a network.
///
/// The file is held against the keys in update.pub, unpacked beside what runs, tried out, switched to, and watched: unless the
/// gate is as well as before, what ran before runs again. Exit code 1 when there was no update; nothing is different then.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    maker: Option<maker::Maker>,
    /// The file that the maker signed.
    #[arg(required_unless_present_any = ["back", "settle"], conflicts_with_all = ["back", "settle"])]
    file: Option<PathBuf>,
    /// Only say whether this box would take it.
    #[arg(long, requires = "file")]
    check: bool,
    /// Go back to what was in place before the last update.
    #[arg(long)]
    back: bool,
    /// End an update that was interrupted: keep it if the gate is well, take it back if not. The unit usher-update does that at
    /// every boot.
    #[arg(long, conflicts_with = "back")]
    settle: bool,
    /// How long the gate may take until it is as well as before.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    within: u64,
    /// How long it must be so without a break.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=600))]
    steady: u64,
    /// Where releases lie.
    #[arg(long, value_name = "DIR", default_value = place::PATH, hide = true)]
    place: PathBuf,
    /// Whose updates are taken.
    #[arg(long, value_name = "FILE", default_value = keys::PATH)]
    keys: PathBuf,
    /// The gate's unit.
    #[arg(long, value_name = "UNIT", default_value = service::UNIT, hide = true)]
    unit: String,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(maker) = &args.maker {
        return maker::run(maker);
    }
    // Whoever closes the session, or asks for an end, gets the gate of before, not half an update.
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [signal::SIGHUP, signal::SIGINT, signal::SIGTERM] {
        flag::register(signal, asked.clone()).context("signals cannot be listened to")?;
    }
    // The pages' address is read anew each time: a trial may take the configuration's mending.
    let pages = || {
        let config = usher_config::read(&common.config).ok()?;
        let answer = ask(config.web.listen, "/readyz", Duration::from_secs(5))?;
        Told::of(&serde_json::from_str(&answer).ok()?)
    };
    let patience = Patience {
        within: Duration::from_secs(args.within),
        steady: Duration::from_secs(args.steady.min(args.within)),
    };
    let updater = Updater {
        place: &args.place,
        keys: &args.keys,
        config: &common.config,
        unit: &args.unit,
        patience,
        clock: &*SystemClock::start(),
        ask: &pages,
        interrupted: &|| asked.load(Ordering::Relaxed),
        tell: &|step| println!("{}", words(step)),
    };
    let done = match (&args.file, args.back) {
        (Some(file), _) if args.check => {
            let checked = updater.check(file);
            if let Ok(manifest) = &checked {
                println!("usher {} for {}: signed, whole, and later", manifest.version, manifest.architecture);
            }
            checked.map(|_| None)
        }
        (Some(file), _) => updater.apply(file).map(Some),
        (None, true) => updater.back().map(Some),
        (None, false) => updater.settle().map(Some),
    };
    match done {
        Ok(done) => {
            done.iter().for_each(said);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("usher: {error}");
            Ok(ExitCode::from(if matches!(error, UpdateError::Key(_)) { MEND_ME } else { 1 }))
        }
    }
}

/// What is being done, in words.
fn words(step: &str) -> &str {
    match step {
        "verify" => "reading it, and holding it against the keys",
        "unpack" => "unpacking it beside what runs",
        "try" => "trying it out, and letting it look at the configuration",
        "store" => "writing it to the disk",
        "mark" => "noting what to go back to",
        "switch" => "switching",
        "restart" => "starting the gate again",
        "watch" => "watching the gate",
        "keep" => "keeping it",
        "back" => "taking it back",
        other => other,
    }
}

fn said(done: &Done) {
    match done {
        Done::Kept(about) => println!("usher {} runs, as well as before", about.version),
        Done::InPlace(about) => println!("usher {} is in place; no gate ran, so none was started", about.version),
        Done::Already(about) => println!("usher {} is in place already", about.version),
        Done::Nothing => println!("no update was interrupted"),
    }
}
