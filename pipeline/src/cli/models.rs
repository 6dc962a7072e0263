//! `usher models`.

use crate::cli::Common;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use usher_models::weights::{
    install::{self, Progress},
    lock::{Lock, MODELS},
    pictures, store,
};

/// The pictures of the demonstration.
const PICTURES: &str = include_str!("../../pictures.lock");

/// Install and list networks.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Obtain the networks of this release, check their hashes and convert them.
    Install {
        /// Take the archives from this folder instead of the registries.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// Install the demonstration's pictures too.
        #[arg(long)]
        pictures: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Say which networks there are, under which licence, and what they were trained on.
    List {
        #[command(flatten)]
        data: Data,
    },
}

#[derive(clap::Args)]
struct Data {
    /// The data folder; without it that of the configuration, or /var/lib/usher where there is no configuration.
    #[arg(long, env = "USHER_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Install { from, pictures, data } => install(&data.folder(&common.config)?, from.as_deref(), *pictures)?,
        What::List { data } => list(&data.folder(&common.config)?.join("models"), common.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Data {
    fn folder(&self, _config: &Path) -> anyhow::Result<PathBuf> {
        Ok(self.data.clone().unwrap_or_else(|| PathBuf::from("/var/lib/usher")))
    }
}

fn install(data: &Path, from: Option<&Path>, with_pictures: bool) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}").context("the style is a constant")?);
    bar.enable_steady_tick(Duration::from_millis(120));
    let mut tell = |name: &str, progress: Progress| {
        let text = match progress {
            Progress::Present => "is there",
            Progress::Fetching => "is being fetched",
            Progress::Converting => "is being checked and converted",
            Progress::Installed => "installed",
        };
        match progress {
            // Without a terminal the bar shows nothing; these lines are printed either way.
            Progress::Present | Progress::Installed => bar.suspend(|| eprintln!("{name}: {text}")),
            Progress::Fetching | Progress::Converting => bar.set_message(format!("{name} {text}")),
        }
    };
    install::install(MODELS, &data.join("models"), from, &mut tell)?;
    if with_pictures {
        pictures::install(PICTURES, &data.join("pictures"), from, &mut tell)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// A row of the list, as `--json` prints it.
#[derive(serde::Serialize)]
struct Row<'a> {
    name: &'a str,
    model: &'a str,
    role: usher_models::weights::lock::Role,
    licence: &'a str,
    training_data: &'a str,
    origin: &'a str,
    package: String,
    sha256: &'a str,
    installed: bool,
    path: PathBuf,
}

fn list(folder: &Path, json: bool) -> anyhow::Result<()> {
    let lock = Lock::read(MODELS)?;
    let rows: Vec<Row<'_>> = lock
        .networks
        .iter()
        .map(|network| {
            let package = lock.package(&network.package)?;
            Ok(Row {
                name: &network.name,
                model: &network.model,
                role: network.role,
                licence: &network.licence,
                training_data: &network.training_data,
                origin: &network.origin,
                package: format!("{} {}", package.name, package.version),
                sha256: &network.sha256,
                installed: install::is_installed(folder, network),
                path: store::path_of(folder, &network.name),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    for row in rows {
        let state = if row.installed { "installed" } else { "not installed: run `usher models install`" };
        println!("{} ({}), {:?}, {}", row.name, row.model, row.role, state);
        println!("  licence        {}", row.licence);
        println!("  training data  {}", row.training_data);
        println!("  origin         {}", row.origin);
        println!("  package        {}", row.package);
        println!("  file           {}", row.path.display());
        println!("  sha256         {} (of the published file)", row.sha256);
    }
    Ok(())
}
