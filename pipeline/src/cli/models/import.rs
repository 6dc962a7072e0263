//! `usher models import`.

use crate::cli::{Common, MEND_ME, data::Data};
use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};
use usher_models::{
    architecture::Architecture,
    import::{Asked, Brought, import},
    weights::lock::Role,
};

/// Which file, and what is said of it.
#[derive(clap::Args)]
pub(super) struct Args {
    /// An ONNX file, or a state dict of PyTorch (`.pth`).
    file: PathBuf,
    /// What it is: iresnet50, iresnet100, mobilefacenet, scrfd, yunet or minifasnet.
    #[arg(long = "as", value_name = "ARCHITECTURE")]
    architecture: Architecture,
    /// What the configuration calls it; without it the file's name, as a-z, 0-9 and -.
    #[arg(long)]
    name: Option<String>,
    /// What its weights may be used for, for instance `Apache-2.0`; asked for on a terminal.
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Where the weights are from, and what they were trained on.
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,
    /// Of minifasnet: side of its crop in lengths of the face's box; without it what minivision's file name says.
    #[arg(long, value_name = "SCALE")]
    crop: Option<f32>,
    /// Of minifasnet: the class of a live person, from 0; 1 in minivision's files.
    #[arg(long, value_name = "N")]
    live_class: Option<usize>,
    #[command(flatten)]
    data: Data,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let licence = match &args.licence {
        Some(licence) => licence.clone(),
        None if std::io::stdin().is_terminal() => asked_for(args)?,
        None => String::new(),
    };
    let asked = Asked {
        file: &args.file,
        architecture: args.architecture,
        name: args.name.as_deref(),
        licence: &licence,
        origin: args.origin.as_deref(),
        crop: args.crop,
        live_class: args.live_class,
    };
    match import(&asked, &args.data.folder(common)?.join("models")) {
        Ok(brought) if common.json => println!("{}", serde_json::to_string_pretty(&brought)?),
        Ok(brought) => print!("{}", told(&brought)),
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(ExitCode::from(MEND_ME));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The licence, from whoever sits at the terminal.
fn asked_for(args: &Args) -> anyhow::Result<String> {
    eprint!(
        "What may the weights of {} be used for? Write their licence as their publisher does\n\
         (for instance Apache-2.0, or: non-commercial research only): ",
        args.file.display()
    );
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn told(brought: &Brought) -> String {
    let Brought { name, model, imported, .. } = brought;
    let apart = brought.apart.map_or(String::new(), |apart| {
        format!("  trial          our kernels and stock operators differ by {apart:.1e} of the greatest value\n")
    });
    let next = match brought.role {
        Role::Detector => format!("`infer: {{ detector: {name} }}`"),
        Role::Embedder => format!(
            "`infer: {{ embedder: {name} }}`, once a threshold was measured for it: see `usher calibrate`; \
             everybody enrols anew, since templates of two networks never compare"
        ),
        Role::Pad => format!("`infer: {{ liveness: {name} }}`, or several with + between them"),
    };
    format!(
        "{name} ({}), {:?}, {}\n  licence        {}\n  origin         {}\n  sha256         {} (of {})\n{apart}  file           {}\n  use            {next}\n",
        model.0,
        brought.role,
        imported.architecture,
        imported.licence,
        imported.origin.as_deref().unwrap_or("not stated"),
        brought.source_sha256,
        imported.file,
        brought.path.display(),
    )
}
