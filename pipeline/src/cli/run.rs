//! `usher run`: the gate, until told to stop.

use crate::{
    cli::{Common, MEND_ME, logging, out::mention},
    clock::{Clock, SystemClock},
    guide::live::Live,
    metrics,
    supervise::{Stop, spawn, stop},
    wire::{self, Gate, Listeners},
};
use anyhow::Context;
use crossbeam::channel::{Receiver, bounded};
use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use sd_notify::NotifyState;
use signal_hook::{
    consts::{SIGHUP, TERM_SIGNALS},
    iterator::Signals,
    low_level::abort,
};
use std::{process::ExitCode, sync::Arc, time::Duration};
use usher_config::{Config, decide::Mode};

/// Run the gate.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// How often beats are listened to and the watchdog is fed.
const ROUND: Duration = Duration::from_secs(1);

pub(crate) fn run(common: &Common, _args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let config = match usher_config::read(&common.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let (asked, asked_to_look) = asked()?;
    keep_memory_here(&config);
    let clock: Arc<dyn Clock> = SystemClock::start();
    let started = start(&config, &clock, Listeners::default())?;
    let Started { mut gate, .. } = match started {
        Ok(started) => started,
        Err(code) => return Ok(code),
    };
    say_where(&gate);
    gate.reload_from(&common.config, asked_to_look, clock.now().steady, say_reloading);
    keep(gate, &clock, &asked)
}

/// Tells systemd that the configuration is taken up, or that this is done.
fn say_reloading(begins: bool) {
    let states = match (begins, NotifyState::monotonic_usec_now()) {
        (true, Ok(now)) => vec![NotifyState::Reloading, now],
        (true, Err(_)) => return,
        (false, _) => vec![NotifyState::Ready],
    };
    let _unless_under_systemd = sd_notify::notify(&states);
}

/// Keeps what is in memory out of every file: no core is dumped, no page goes to swap. What the system refuses is said where
/// it matters; the gate runs all the same.
fn keep_memory_here(config: &Config) {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(reason) = setrlimit(Resource::Core, none) {
        tracing::warn!(%reason, "core dumps could not be forbidden");
    }
    // Cameras, screens and tablets each hold some; the system gives as many as it allows, for the asking.
    let most = getrlimit(Resource::Nofile).maximum;
    if let Err(reason) = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }) {
        tracing::warn!(%reason, "the limit of open files could not be raised");
    }
    // Whoever shows a pass at any gate is unlocked; a box whose gates all wait for passes should not run without.
    let pages = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let awaits_passes = config.gates.values().any(|gate| gate.mode == Mode::Pass);
    if let (Err(reason), true) = (mlockall(pages), awaits_passes) {
        tracing::warn!(%reason, "memory could not be locked, so templates may reach the swap: set LimitMEMLOCK=infinity, or run without swap");
    }
}

/// A gate, and the text of its `/metrics`.
pub(crate) struct Started {
    pub(crate) gate: Gate,
    pub(crate) figures: Box<dyn Fn() -> String>,
}

/// Starts a gate; where that cannot be, why has been said, and the exit code tells what a person must mend first from what is
/// to be tried again.
pub(crate) fn start(
    config: &Config,
    clock: &Arc<dyn Clock>,
    listeners: Listeners,
) -> anyhow::Result<Result<Started, ExitCode>> {
    let figures = metrics::install().context("metrics")?;
    let own = figures.clone();
    let (live, problems) = Live::open(&config.guide);
    if let Some(problems) = problems {
        // Somebody edits them while the power goes: a gate that greets without sessions is better than none.
        eprintln!("{problems}\nusher: the gate starts without these files, and reads them as soon as they are mended");
    }
    match wire::start(config, live, Box::new(move || figures.render()), clock, listeners) {
        Ok(gate) => Ok(Ok(Started { gate, figures: Box::new(move || own.render()) })),
        Err(error) => {
            eprintln!("usher: {error}");
            Ok(Err(if error.waits() { ExitCode::FAILURE } else { ExitCode::from(MEND_ME) }))
        }
    }
}

/// Where the pages are. A gate does not stop because nobody reads it.
pub(crate) fn say_where(gate: &Gate) {
    let pages = gate.pages;
    mention(format_args!("operator  http://{pages}/operator\n"));
    mention(format_args!("flow      http://{pages}/flow\n"));
    mention(format_args!("signage   http://{pages}/signage\n"));
    if let Some(station) = gate.station {
        mention(format_args!("enrol     https://{station}/enrol\n"));
        mention(format_args!("staff     https://{station}/staff\n"));
    }
    mention(format_args!("token     {}   (signs an operator in; new at every start)\n", gate.token.reveal()));
}

/// Released by the first signal that asks for an end; a second one means now.
pub(crate) fn asked_to_stop() -> anyhow::Result<Stop> {
    listen(TERM_SIGNALS, |_| {})
}

/// The same, and what hears of each SIGHUP: of those that come while one is waiting, once.
fn asked() -> anyhow::Result<(Stop, Receiver<()>)> {
    let (look, looked_for) = bounded(1);
    let signals = TERM_SIGNALS.iter().chain([&SIGHUP]).copied().collect::<Vec<_>>();
    let stop = listen(&signals, move |signal| {
        if signal == SIGHUP {
            let _one_waits_already = look.try_send(());
        }
    })?;
    Ok((stop, looked_for))
}

fn listen(signals: &[i32], heard: impl Fn(i32) + Send + 'static) -> anyhow::Result<Stop> {
    let (stopper, stop) = stop();
    let mut signals = Signals::new(signals).context("signals cannot be listened to")?;
    spawn("signals", move || {
        let mut stopper = Some(stopper);
        for signal in signals.forever() {
            heard(signal);
            if TERM_SIGNALS.contains(&signal) && stopper.take().is_none() {
                abort();
            }
        }
    });
    Ok(stop)
}

/// Keeps a gate until asked to stop: feeds systemd's watchdog while every stage goes round, ends when one has ended.
fn keep(mut gate: Gate, clock: &Arc<dyn Clock>, asked: &Stop) -> anyhow::Result<ExitCode> {
    let _unless_under_systemd = sd_notify::notify(&[NotifyState::Ready]);
    let mut said = Vec::new();
    let code = loop {
        if asked.wait(ROUND) {
            break ExitCode::SUCCESS;
        }
        if let Err(trouble) = gate.is_whole() {
            eprintln!("usher: {trouble}");
            break ExitCode::FAILURE;
        }
        let hanging = gate.hanging(clock.now().steady);
        if hanging.is_empty() {
            let _unless_under_systemd = sd_notify::notify(&[NotifyState::Watchdog]);
        } else if hanging != said {
            tracing::error!(stages = ?hanging, "stages hang; the watchdog goes unfed");
        }
        said = hanging;
    };
    let _unless_under_systemd = sd_notify::notify(&[NotifyState::Stopping]);
    gate.stop();
    Ok(code)
}
