//! The command line: one file per command.

// First: what comes after prints by its macros.
#[macro_use]
mod out;

mod ask;
mod audit;
mod calibrate;
mod check;
mod coach;
pub mod crowd;
mod data;
mod decode_pictures;
mod demo;
mod doctor;
mod dpia;
mod enrol;
mod evaluate;
mod events;
mod flow;
mod forget;
mod guide;
mod list;
mod manual;
mod migrate;
mod models;
mod notice;
mod replay;
mod run;
mod schema;
mod staff;
mod support;
mod top;
mod update;
mod walked;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Recognises visitors who asked to be known, and tells the venue.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 it failed, the message says why; 2 the command line is wrong; \
                          78 the configuration, the weights or the machine must be mended first; 141 nobody read on.";

/// The exit code of everything a person must mend before usher can start (EX_CONFIG of sysexits.h).
pub(crate) const MEND_ME: u8 = 78;

/// What every command takes.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The configuration.
    #[arg(long, short, global = true, env = "USHER_CONFIG", default_value = "/etc/usher/usher.yaml")]
    pub(crate) config: PathBuf,
    /// Print JSON instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Demo(demo::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Coach(coach::Args),
    Enrol(enrol::Args),
    Flow(flow::Args),
    Forget(forget::Args),
    List(list::Args),
    Migrate(migrate::Args),
    Models(models::Args),
    Replay(replay::Args),
    Evaluate(evaluate::Args),
    Events(events::Args),
    Guide(guide::Args),
    Calibrate(calibrate::Args),
    Notice(notice::Args),
    Audit(audit::Args),
    Dpia(dpia::Args),
    Staff(staff::Args),
    Support(support::Args),
    Top(top::Args),
    Update(update::Args),
    Schema(schema::Args),
    #[command(hide = true)]
    Manual(manual::Args),
    #[command(hide = true)]
    DecodePictures(decode_pictures::Args),
}

/// Parses the command line, runs the command, says how it ended.
pub fn main() -> ExitCode {
    out::until_nobody_reads(|| run_it(Cli::parse()))
}

fn run_it(Cli { common, command }: Cli) -> ExitCode {
    let done = match command {
        Command::Run(args) => run::run(&common, &args),
        Command::Demo(args) => demo::run(&common, &args),
        Command::Check(args) => check::run(&common, &args),
        Command::Doctor(args) => doctor::run(&common, &args),
        Command::Coach(args) => coach::run(&common, &args),
        Command::Enrol(args) => enrol::run(&common, &args),
        Command::Flow(args) => flow::run(&common, &args),
        Command::Forget(args) => forget::run(&common, &args),
        Command::List(args) => list::run(&common, &args),
        Command::Migrate(args) => migrate::run(&common, &args),
        Command::Models(args) => models::run(&common, &args),
        Command::Replay(args) => replay::run(&common, &args),
        Command::Evaluate(args) => evaluate::run(&common, &args),
        Command::Events(args) => events::run(&common, &args),
        Command::Guide(args) => guide::run(&common, &args),
        Command::Calibrate(args) => calibrate::run(&common, &args),
        Command::Notice(args) => notice::run(&common, &args),
        Command::Audit(args) => audit::run(&common, &args),
        Command::Dpia(args) => dpia::run(&common, &args),
        Command::DecodePictures(args) => decode_pictures::run(&args),
        Command::Staff(args) => staff::run(&common, &args),
        Command::Manual(args) => manual::run(&args),
        Command::Support(args) => support::run(&common, &args),
        Command::Top(args) => top::run(&common, &args),
        Command::Update(args) => update::run(&common, &args),
        Command::Schema(args) => schema::run(&common, &args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("usher: {error:#}");
        ExitCode::from(1)
    })
}

/// The configuration; when a person must mend it first, that has been said and the exit code is returned.
pub(crate) fn configured(common: &Common) -> Result<usher_config::Config, ExitCode> {
    usher_config::read(&common.config).map_err(|problems| {
        eprintln!("{problems}");
        ExitCode::from(MEND_ME)
    })
}

/// Logs to standard error: in words, or as JSON lines with `--json`. `RUST_LOG` chooses; default `info` of usher's own.
pub(crate) fn logging(common: &Common) {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,usher=info"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // Where the journal is gone a line is lost; telling of it on the same way would be a panic, and no gate.
    let lines = lines.log_internal_errors(false);
    // A second initialisation (a command that calls another) keeps the first.
    let _first_wins = if common.json { lines.json().try_init() } else { lines.try_init() };
}
