//! `usher evaluate`: how often is it wrong, and how sure is that?

mod films;
mod law;
mod liveness;
mod open_set;
mod pairs;
mod portraits;
mod quality;
mod synthesised;
mod walks;

use crate::{
    accuracy::{page::Page, portraits::Mirror, rates::Rate},
    cli::{Common, MEND_ME, data::Data, logging},
};
use anyhow::Context;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use usher_models::error::ModelError;

/// Measure accuracy on known faces. Nothing of a face is kept: scores and counts only.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Do two pictures show one person? Accuracy of the pairs of `pairs.txt`, and TAR at small FMR over all pictures.
    Pairs {
        #[command(flatten)]
        faces: Faces,
        /// Keep what was measured as the thresholds of this embedder, beside its weights: a gate may then run with one that was
        /// brought with `usher models import`. It takes pictures of some 500 people.
        #[arg(long)]
        law: bool,
    },
    /// Who of many does a picture show, if any of them? FNIR at an FPIR.
    OpenSet {
        #[command(flatten)]
        faces: Faces,
        /// Pictures each person enrols with.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
        views: u32,
        /// The share of people who are not enrolled that may be named.
        #[arg(long, default_value_t = 0.01, value_parser = share)]
        fpir: f64,
    },
    /// How do walks past a camera end? Of the `stills:` cameras of a configuration, or of the people of a folder.
    Walks(walks::Args),
    /// Does a picture show a person, or a picture of one? APCER per species of attack and BPCER, picture by picture.
    Liveness(liveness::Args),
    /// Do the components of quality tell a spoilt picture from a good one? Good pictures are spoilt in five ways.
    Quality(quality::Args),
}

/// Which faces, and by which networks.
#[derive(clap::Args)]
struct Faces {
    /// A folder in the form of Labelled Faces in the Wild: NAME/NAME_0001.jpg, and pairs.txt.
    folder: PathBuf,
    /// Row of the embedders' table.
    #[arg(long, default_value = "sface")]
    embedder: String,
    /// What is averaged with its mirror image.
    #[arg(long, value_enum, default_value_t)]
    mirror: Mirror,
    /// Write plots and figures to this file: one page that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let done = match &args.what {
        What::Walks(args) => return walks::run(common, args),
        What::Liveness(args) => liveness::run(common, args),
        What::Quality(args) => quality::run(common, args),
        What::Pairs { faces, law } => pairs::run(common, faces, *law),
        What::OpenSet { faces, views, fpir } => open_set::run(common, faces, *views as usize, *fpir),
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Weights that are not there: as for every other command.
        Err(error) if error.is::<ModelError>() => {
            eprintln!("usher: {error:#}");
            Ok(ExitCode::from(MEND_ME))
        }
        Err(error) => Err(error),
    }
}

/// What may be concluded from any of these figures.
fn notes() -> Vec<String> {
    vec![
        "Intervals hold 95 %: people, never single comparisons, were drawn again a thousand times.".to_owned(),
        "These are the faces of this folder. A gate has other light, other angles and other people: measure there too."
            .to_owned(),
    ]
}

/// A rate with its interval, and what it is below.
fn told(rate: &Rate) -> serde_json::Value {
    let (low, high) = rate.interval();
    json!({
        "errors": rate.errors, "trials": rate.trials, "share": rate.share(),
        "interval": [low, high], "at_most": rate.at_most(),
    })
}

fn write(file: &Path, page: &Page) -> anyhow::Result<()> {
    std::fs::write(file, page.html()?).with_context(|| format!("{} cannot be written", file.display()))
}

/// A share above 0 and below 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "write a share, for instance 0.01".to_owned())?;
    if share > 0.0 && share < 1.0 {
        Ok(share)
    } else {
        Err("write a share above 0 and below 1, for instance 0.01".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_between_nothing_and_everybody() {
        assert_eq!(share("0.003"), Ok(0.003));
        for wrong in ["0", "1", "-1", "NaN", "1 %", ""] {
            assert!(share(wrong).unwrap_err().contains("0.01"), "{wrong}");
        }
    }
}
