//! Import: a network that a site brings, checked and written.
//!
//! The file is read (`pth` and `pickle` for PyTorch's, whose graph is `drawing` and what stands beside it; ONNX by
//! the same reader as the networks of the lock file), held against the architecture it is said to be (`shapes`), tried
//! (`trial`) and written beside the others, with the licence that somebody stands for.

mod drawing;
pub mod error;
mod iresnet;
mod minifasnet;
mod pickle;
mod pth;
mod shapes;
mod trial;

use crate::{
    architecture::{Architecture, Attack, Imported},
    catalog,
    template::ModelId,
    weights::{
        lock::{Lock, MODELS, Role, sha256_of},
        onnx,
        recognise::recognised,
        store::{Stored, path_of},
    },
};
use error::ImportError;
use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

/// The largest file that is read; IResNet-100 has 250 MiB.
const LARGEST: u64 = 1 << 30;
/// The longest name.
const LONGEST: usize = 48;

/// What somebody wants to bring.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// An ONNX file, or a state dict of PyTorch.
    pub file: &'a Path,
    /// What it is said to be.
    pub architecture: Architecture,
    /// What it is to be called; else its file's name, as far as that can be a name.
    pub name: Option<&'a str>,
    /// What its weights may be used for. Empty: refused.
    pub licence: &'a str,
    /// Where they come from.
    pub origin: Option<&'a str>,
    /// Of MiniFASNet: side of the crop in lengths of the face's box; else what a file name of minivision's form says.
    pub crop: Option<f32>,
    /// Of MiniFASNet: the class of a live person; else 1 where the file name is of minivision's form.
    pub live_class: Option<usize>,
}

/// What was brought.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Brought {
    /// What the configuration calls it.
    pub name: String,
    /// What its templates carry, if it makes any: name and content.
    pub model: ModelId,
    /// What it is for.
    pub role: Role,
    /// The file made.
    pub path: PathBuf,
    /// The sha256 of the file it was made from.
    pub source_sha256: String,
    /// How far our kernels and stock operators were apart in the trial, as a share of the greatest value; `None` when the
    /// trial was at another time.
    pub apart: Option<f32>,
    /// What is recorded of it.
    pub imported: Imported,
}

/// Brings a network into the weights folder `to`, which is made when it is not there.
///
/// # Errors
/// [`ImportError`]; nothing is written then.
pub fn import(asked: &Asked<'_>, to: &Path) -> Result<Brought, ImportError> {
    let Asked { file, architecture, .. } = *asked;
    if asked.licence.trim().is_empty() {
        return Err(ImportError::NoLicence { file: file.to_owned() });
    }
    let name = name_of(asked)?;
    let imported = Imported {
        architecture,
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        licence: asked.licence.trim().to_owned(),
        origin: asked.origin.map(|origin| origin.trim().to_owned()).filter(|origin| !origin.is_empty()),
        attack: if architecture == Architecture::Minifasnet { Some(attack_of(asked)?) } else { None },
    };
    let bytes = read(file)?;
    let source_sha256 = sha256_of(&bytes);
    is_free(to, &name, &source_sha256)?;

    let unfit = |why: String| ImportError::Unfit { file: file.to_owned(), architecture: architecture.word(), why };
    let mut stored = understood(bytes, architecture, &name, &source_sha256).map_err(unfit)?;
    let apart = trial::tried(&stored, &imported).map_err(unfit)?;

    stored.description.imported = Some(imported.clone());
    std::fs::create_dir_all(to).map_err(ImportError::disk(to))?;
    let path = path_of(to, &name);
    stored.write(&path).map_err(ImportError::disk(&path))?;
    Ok(Brought::of(&stored, imported, path, Some(apart)))
}

/// The network in a file's `bytes`, held against the architecture that it is said to be; nothing of it was computed yet.
///
/// # Errors
/// In words, when it is no file that is read, or holds another network.
pub fn understood(
    bytes: Vec<u8>,
    architecture: Architecture,
    name: &str,
    source_sha256: &str,
) -> Result<Stored, String> {
    let graph = if pth::is_one(&bytes) { drawn(&bytes, architecture) } else { onnx::graph(&bytes) };
    drop(bytes);
    let stored = recognised(&graph?, name, source_sha256)?;
    shapes::check(&stored, architecture)?;
    Ok(stored)
}

/// The networks in a weights folder that were brought, by name. What cannot be read is left out: whoever names it is told
/// why.
pub fn brought(folder: &Path) -> Vec<Brought> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        Some(name.to_str()?.strip_suffix(".safetensors")?.to_owned())
    });
    let is_brought = |name: &String| Lock::read(MODELS).is_ok_and(|lock| lock.network(name).is_none());
    let mut names: Vec<String> = names.filter(is_brought).collect();
    names.sort();
    let read = |name: String| {
        let (stored, imported) = Stored::read_imported(folder, &name).ok()?;
        Some(Brought::of(&stored, imported, path_of(folder, &name), None))
    };
    names.into_iter().filter_map(read).collect()
}

impl Brought {
    fn of(stored: &Stored, imported: Imported, path: PathBuf, apart: Option<f32>) -> Self {
        let (model, role) = (catalog::model_of(stored), catalog::role(imported.architecture));
        let (name, source_sha256) = (stored.description.name.clone(), stored.description.source_sha256.clone());
        Self { name, model, role, path, source_sha256, apart, imported }
    }
}

/// A graph over a state dict.
fn drawn(bytes: &[u8], architecture: Architecture) -> Result<onnx::Graph, String> {
    let draw = match architecture {
        Architecture::Minifasnet => minifasnet::drawn,
        Architecture::Iresnet50 | Architecture::Iresnet100 => iresnet::drawn,
        Architecture::Mobilefacenet | Architecture::Scrfd | Architecture::Yunet => {
            let why = "of this architecture only ONNX files are read, since those of PyTorch hold no graph";
            return Err(format!("{why}; export it with `torch.onnx.export`"));
        }
    };
    draw(pth::states(bytes)?)
}

fn read(file: &Path) -> Result<Vec<u8>, ImportError> {
    let refused = |why: String| ImportError::File { path: file.to_owned(), why };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| refused(error.to_string()))?;
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused("it is larger than 1 GiB".to_owned()));
    }
    Ok(bytes)
}

/// The name asked for, or made of the file's.
fn name_of(asked: &Asked<'_>) -> Result<String, ImportError> {
    let name = match asked.name {
        Some(name) => name.to_owned(),
        None => {
            let stem = asked.file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
            let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-")
        }
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_plain) {
        return Err(ImportError::Name { name });
    }
    if Lock::read(MODELS).is_ok_and(|lock| lock.network(&name).is_some()) {
        return Err(ImportError::Taken { name, whose: "a network of this release".to_owned() });
    }
    Ok(name)
}

/// Whether nothing else stands under the name: the same file may be brought again.
fn is_free(to: &Path, name: &str, source_sha256: &str) -> Result<(), ImportError> {
    let path = path_of(to, name);
    if !path.exists() {
        return Ok(());
    }
    match Stored::read_imported(to, name) {
        Ok((stored, _)) if stored.description.source_sha256 == source_sha256 => Ok(()),
        Ok((_, imported)) => {
            let whose = format!("made of another file, {}, which templates may stand for", imported.file);
            Err(ImportError::Taken { name: name.to_owned(), whose })
        }
        // What cannot be read serves nobody.
        Err(_) => Ok(()),
    }
}

/// What was said of its use, else what a file name of minivision's form says: `2.7_80x80_MiniFASNetV2.pth`.
fn attack_of(asked: &Asked<'_>) -> Result<Attack, ImportError> {
    let name = asked.file.file_stem().unwrap_or_default().to_string_lossy();
    let told = name.contains("MiniFASNet").then(|| name.split('_').next()?.parse::<f32>().ok()).flatten();
    let crop = asked.crop.or(told).filter(|crop| (1.0..=8.0).contains(crop));
    let crop = crop.ok_or(ImportError::NoAttack {
        what: "how much of the picture it is shown, 1 to 8 lengths of the face's box",
        option: "--crop 2.7",
    })?;
    let live_class = asked
        .live_class
        .or(told.map(|_| 1))
        .ok_or(ImportError::NoAttack { what: "which of its classes is a live person", option: "--live-class 1" })?;
    Ok(Attack { crop, live_class })
}
