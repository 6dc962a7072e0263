//! `usher evaluate liveness`.

use crate::{
    accuracy::rates::Rate,
    cli::{Common, data::Data},
    gallery::{
        faces::{INPUT, faces},
        picture::Picture,
    },
};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use usher_models::{
    catalog,
    compute::{Choice, Compute},
    detect::Detector,
    image::Rect,
    liveness::{Live, Liveness},
};

/// The folder of bona fide presentations; every other is a species of attack.
const LIVE: &str = "live";
/// Least confidence of a face: the gate's default.
const CONFIDENCE: f32 = 0.6;
/// File names that pictures have.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Which pictures, and by which networks.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A folder with a folder `live`, and one for each species of attack, such as `print` and `screen`; pictures in them or
    /// in folders of theirs.
    folder: PathBuf,
    /// Rows of the liveness networks' table, or imported ones, with + between them: their mean counts.
    #[arg(long, default_value = "minifasnet")]
    networks: String,
    /// What a picture must reach to pass for live: the gate's own.
    #[arg(long, default_value_t = 0.5, value_parser = super::share)]
    bar: f64,
    #[command(flatten)]
    data: Data,
}

/// What was found in the pictures of one folder.
#[derive(Default)]
struct Species {
    /// Pictures that were taken for the other kind.
    wrong: Rate,
    /// Failures to acquire.
    without_face: u64,
    lives: Vec<f32>,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<()> {
    let weights = args.data.folder(common)?.join("models");
    let compute = Compute::open(Choice::Auto)?;
    let mut detector = catalog::open_detector("yunet", &weights, &compute, INPUT, CONFIDENCE)?;
    let mut liveness = catalog::open_liveness(&args.networks, &weights, &compute)?;
    let mut found = serde_json::Map::new();
    for (name, pictures) in folders(&args.folder)? {
        let mut species = Species::default();
        for path in pictures {
            let picture = Picture::read(&path).with_context(|| path.display().to_string())?;
            match live(&mut *detector, &mut *liveness, &picture)? {
                Some(live) => {
                    let passes = f64::from(live.0) >= args.bar;
                    species.wrong.count(passes != (name == LIVE));
                    species.lives.push(live.0);
                }
                None => species.without_face += 1,
            }
        }
        if !common.json {
            println!("{}", species.words(&name));
        }
        found.insert(name.clone(), species.json(&name));
    }
    if common.json {
        let report = json!({
            "networks": args.networks, "bar": args.bar, "species": found,
            "notes": [
                "Single pictures of one camera each: pictures of one person or one attack are not independent, and intervals are too narrow for that.",
                "A gate takes the mean of five looks or more.",
            ],
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

/// How live the largest face of a picture seems; `None` where there is none.
fn live(detector: &mut dyn Detector, liveness: &mut dyn Liveness, picture: &Picture) -> anyhow::Result<Option<Live>> {
    let found = faces(detector, picture)?;
    let Some(face) = found.into_iter().max_by(|a, b| Rect::area(&a.rect).total_cmp(&b.rect.area())) else {
        return Ok(None);
    };
    let crops = liveness.crops().iter().map(|crop| crop.of(&picture.view(), &face.rect)).collect();
    Ok(liveness.judge(&[crops])?.into_iter().next())
}

impl Species {
    fn rate(name: &str) -> &'static str {
        if name == LIVE { "BPCER" } else { "APCER" }
    }

    fn mean(&self) -> Option<f32> {
        (!self.lives.is_empty()).then(|| self.lives.iter().sum::<f32>() / self.lives.len() as f32)
    }

    fn words(&self, name: &str) -> String {
        let mean = self.mean().map_or(String::new(), |mean| format!(", mean {mean:.3}"));
        let without = match self.without_face {
            0 => String::new(),
            n => format!(", {n} without a face"),
        };
        format!("{name}: {} {}{mean}{without}", Self::rate(name), self.wrong)
    }

    fn json(&self, name: &str) -> Value {
        let mut told = json!({ "without_face": self.without_face, "mean": self.mean() });
        told[Self::rate(name).to_lowercase()] = super::told(&self.wrong);
        told
    }
}

/// The folders and the pictures below each, in order.
fn folders(folder: &Path) -> anyhow::Result<Vec<(String, Vec<PathBuf>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut pictures = Vec::new();
            collect(&path, &mut pictures)?;
            pictures.sort();
            found.push((name, pictures));
        }
    }
    found.sort();
    if found.iter().all(|(_, pictures)| pictures.is_empty()) {
        bail!(
            "{} holds no folders with pictures; make `{LIVE}` and one for each species, such as `print`",
            folder.display()
        );
    }
    Ok(found)
}

fn collect(folder: &Path, pictures: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, pictures)?;
        } else if PICTURES.contains(&&*end) {
            pictures.push(path);
        }
    }
    Ok(())
}
