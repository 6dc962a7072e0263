//! `usher replay`.

use crate::cli::Common;
use std::process::ExitCode;

/// Run a recording through the gate.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_common: &Common, _args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
