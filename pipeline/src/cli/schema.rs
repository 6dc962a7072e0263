//! `usher schema`.

use crate::{cli::Common, publish::contract};
use std::process::ExitCode;

/// Print the JSON schema of the configuration, the programme, the places, a walk log or the events.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Of what.
    #[arg(value_enum, default_value = "config")]
    of: Of,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Of {
    /// usher.yaml
    Config,
    /// programme.yaml
    Programme,
    /// places.geojson
    Places,
    /// Who walked in recordings, for `usher evaluate walks --log` and `usher calibrate --log`
    Walks,
    /// What is published, by name
    Events,
}

pub(crate) fn run(_common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let schema = match args.of {
        Of::Config => usher_config::json_schema(),
        Of::Programme => usher_config::programme::json_schema(),
        Of::Places => usher_config::places::json_schema(),
        Of::Walks => usher_config::walks::json_schema(),
        Of::Events => serde_json::json!(contract::schemas()),
    };
    println!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(ExitCode::SUCCESS)
}
