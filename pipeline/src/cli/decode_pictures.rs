//! `usher decode-pictures`: the child that decodes strangers' pictures; started by usher itself.

use crate::gallery::decoder::serve;
use std::{io, process::ExitCode};

/// Decode pictures from standard input; started by usher itself.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> anyhow::Result<ExitCode> {
    serve(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}
