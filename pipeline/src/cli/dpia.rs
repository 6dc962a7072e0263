//! `usher dpia`: what a data protection impact assessment must know of this box.

mod annex;
mod facts;
mod page;
mod risks;
mod words;

use crate::{
    cli::{Common, configured},
    clock::{Clock, SystemClock},
};
use annex::Annex;
use std::process::ExitCode;

/// Print an annex to the data protection impact assessment, from this configuration and what was measured. Markdown, or the same
/// as data with --json. Needs no running gate and changes nothing.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(common: &Common, _args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let annex = Annex::of(&config, SystemClock::start().now().wall);
    if common.json {
        println!("{}", serde_json::to_string_pretty(&annex)?);
    } else {
        print!("{}", page::markdown(&annex));
    }
    Ok(ExitCode::SUCCESS)
}
