//! `usher models`.

mod import;

use crate::cli::{Common, MEND_ME, data::Data};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use usher_models::{
    import::Brought,
    weights::{
        error::InstallError,
        install::{self, Progress, Which},
        lock::{Lock, MODELS},
        pictures, store,
    },
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
        /// The optional ones too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Obtain the faces of the demonstration, by the same clients and checks.
    Pictures {
        /// Take the archives from this folder instead of the registries.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Bring a network of your own: check it, convert it, record its licence.
    Import(import::Args),
    /// Say which networks there are, under which licence, and what they were trained on.
    List {
        #[command(flatten)]
        data: Data,
    },
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let installed = match &args.what {
        What::Install { from, all, data } => {
            let which = if *all { Which::All } else { Which::Needed };
            let folder = data.folder(common)?.join("models");
            watched(|tell| install::install(MODELS, &folder, from.as_deref(), which, tell))?
        }
        What::Pictures { from, data } => {
            let folder = data.folder(common)?.join("pictures");
            watched(|tell| pictures::install(PICTURES, &folder, from.as_deref(), tell))?
        }
        What::Import(args) => return import::run(common, args),
        What::List { data } => {
            list(&data.folder(common)?.join("models"), common.json)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    match installed {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("usher: {error}");
            Ok(ExitCode::from(MEND_ME))
        }
    }
}

/// Whoever wants to know what is being done to which row.
type Tell<'a> = &'a mut dyn FnMut(&str, Progress);

/// Runs an installation under a progress bar; without a terminal only what was done is printed.
fn watched(install: impl FnOnce(Tell<'_>) -> Result<(), InstallError>) -> anyhow::Result<Result<(), InstallError>> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}").context("the style is a constant")?);
    bar.enable_steady_tick(Duration::from_millis(120));
    let mut tell = |name: &str, progress: Progress| match progress {
        Progress::Present => bar.suspend(|| eprintln!("{name}: is there")),
        Progress::Installed => bar.suspend(|| eprintln!("{name}: installed")),
        Progress::Fetching => bar.set_message(format!("{name}: fetching its package")),
        Progress::Converting => bar.set_message(format!("{name}: checking and converting")),
    };
    let installed = install(&mut tell);
    bar.finish_and_clear();
    Ok(installed)
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
    optional: bool,
    installed: bool,
    path: PathBuf,
}

/// What stands for words that nobody has said.
const UNSAID: &str = "not stated by whoever imported it";

fn row_of(brought: &Brought) -> Row<'_> {
    let imported = &brought.imported;
    Row {
        name: &brought.name,
        model: &brought.model.0,
        role: brought.role,
        licence: &imported.licence,
        training_data: UNSAID,
        origin: imported.origin.as_deref().unwrap_or(UNSAID),
        package: format!("imported from {} as {}", imported.file, imported.architecture),
        sha256: &brought.source_sha256,
        optional: true,
        installed: true,
        path: brought.path.clone(),
    }
}

fn list(folder: &Path, json: bool) -> anyhow::Result<()> {
    let lock = Lock::read(MODELS)?;
    let brought = usher_models::import::brought(folder);
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
                optional: network.optional,
                installed: install::is_installed(folder, network),
                path: store::path_of(folder, &network.name),
            })
        })
        .chain(brought.iter().map(|brought| Ok(row_of(brought))))
        .collect::<anyhow::Result<_>>()?;
    let mut text = String::new();
    if json {
        writeln!(text, "{}", serde_json::to_string_pretty(&rows)?)?;
    } else {
        for row in rows {
            let state = match (row.installed, row.optional) {
                (true, _) => "installed",
                (false, true) => "optional, not installed: run `usher models install --all`",
                (false, false) => "not installed: run `usher models install`",
            };
            writeln!(text, "{} ({}), {:?}, {state}", row.name, row.model, row.role)?;
            writeln!(text, "  licence        {}", row.licence)?;
            writeln!(text, "  training data  {}", row.training_data)?;
            writeln!(text, "  origin         {}", row.origin)?;
            writeln!(text, "  package        {}", row.package)?;
            writeln!(text, "  file           {}", row.path.display())?;
            writeln!(text, "  sha256         {} (of the published file)", row.sha256)?;
        }
    }
    print!("{text}");
    Ok(())
}
