//! `usher top`: what a running gate is doing, again and again.

mod figures;
mod view;

use crate::cli::{Common, MEND_ME, ask::ask, configured};
use crate::clock::{Clock as _, SystemClock};
use figures::Figures;
use serde_json::Value;
use std::{io::IsTerminal as _, net::SocketAddr, process::ExitCode, time::Duration};
use view::View;

/// Watch a running gate: cameras, stages, gates, outbox and broker, by the second. Ctrl-C ends it. Names nobody.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often it looks; rates are over this time.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    interval: u64,
    /// Look once, and end.
    #[arg(long)]
    once: bool,
}

/// How long the gate may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// To the upper left, and everything below gone (ECMA-48).
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// What a gate said at a moment of steady time.
struct Look {
    at: Duration,
    state: Value,
    degraded: Vec<String>,
    figures: Figures,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let (clock, listen) = (SystemClock::start(), config.web.listen);
    let asked = super::run::asked_to_stop()?;
    let clears = std::io::stdout().is_terminal() && !args.once && !common.json;
    let mut before: Option<Look> = None;
    loop {
        let now = look(listen, clock.now().steady);
        match (&before, &now) {
            (Some(before), Some(now)) => {
                let view = View::of(before, now);
                match (common.json, clears) {
                    (true, _) => println!("{}", serde_json::to_string(&view)?),
                    (false, true) => print!("{CLEAR}{view}"),
                    (false, false) => println!("{view}"),
                }
                if args.once {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            (_, None) => {
                let place = format!("no gate answers at http://{listen} (`web.listen` of {})", common.config.display());
                if args.once {
                    eprintln!("usher: {place}; start it (`usher run`), or name its configuration with --config");
                    return Ok(ExitCode::from(MEND_ME));
                }
                if clears {
                    print!("{CLEAR}");
                }
                println!("{place}");
            }
            (None, Some(_)) => {}
        }
        // A gate that was away is another one: its figures begin anew.
        before = now;
        if asked.wait(Duration::from_secs(args.interval)) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// All that the gate at `listen` says; `None` where none does.
fn look(listen: SocketAddr, at: Duration) -> Option<Look> {
    let read = |path| serde_json::from_str::<Value>(&ask(listen, path, PATIENCE)?).ok();
    let (ready, state) = (read("/readyz")?, read("/api/state")?);
    let said = ready["degraded"].as_array()?;
    let degraded = said.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let figures = Figures::read(&ask(listen, "/metrics", PATIENCE)?);
    Some(Look { at, state, degraded, figures })
}
