//! `usher schema`.

use crate::cli::Common;
use std::process::ExitCode;

/// Print schemas.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_common: &Common, _args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
