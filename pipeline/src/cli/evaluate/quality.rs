//! `usher evaluate quality`.

use crate::{
    accuracy::{
        collection::{Collection, Which},
        portraits::crop_of,
        rates::Rate,
        spoilt::Spoilt,
    },
    cli::{Common, data::Data, evaluate::told},
    gallery::{faces::INPUT, hint::Hint, picture::Picture},
};
use anyhow::Context as _;
use image::RgbImage;
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::{io::Cursor, path::PathBuf};
use usher_models::{
    catalog,
    compute::{Choice, Compute},
    detect::Detector,
    face::Face,
    image::Rgb,
    quality::{Quality, measure},
};

/// Least confidence of a face: the gate's default.
const CONFIDENCE: f32 = 0.6;

/// A component, and where it is.
type Component = (&'static str, fn(&Quality) -> f32);

const COMPONENTS: [Component; 10] = [
    ("pose", |of| of.pose),
    ("sharpness", |of| of.sharpness),
    ("luminance_mean", |of| of.exposure.luminance_mean),
    ("under_exposure_prevention", |of| of.exposure.under_exposure_prevention),
    ("over_exposure_prevention", |of| of.exposure.over_exposure_prevention),
    ("dynamic_range", |of| of.exposure.dynamic_range),
    ("illumination_uniformity", |of| of.illumination_uniformity),
    ("eyes_visible", |of| of.eyes_visible),
    ("mouth_occlusion_prevention", |of| of.mouth_occlusion_prevention),
    ("pitch_deg", |of| of.head.pitch_deg),
];

/// The quantiles of good pictures that are told.
const QUANTILES: [f64; 5] = [0.001, 0.01, 0.05, 0.5, 0.95];

/// Which pictures.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A folder of good pictures in the form of Labelled Faces in the Wild; the first picture of each person counts.
    folder: PathBuf,
    /// What chance spoils them with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    data: Data,
}

/// What was measured of the pictures that are spoilt in one way.
#[derive(Default)]
struct Measured {
    qualities: Vec<Quality>,
    without_face: usize,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<()> {
    let collection = Collection::read(&args.folder)?;
    let weights = args.data.folder(common)?.join("models");
    let mut detector = catalog::open_detector("yunet", &weights, &Compute::open(Choice::Auto)?, INPUT, CONFIDENCE)?;
    let bar = ProgressBar::new(collection.people.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} people, {eta} to go")?);
    let mut good = Measured::default();
    let mut spoilt: Vec<(Spoilt, Measured)> = Spoilt::ALL.map(|how| (how, Measured::default())).into();
    let mut dice = ChaCha8Rng::seed_from_u64(args.seed);
    for person in 0..collection.people.len() {
        bar.inc(1);
        let path = collection.path(Which { person, picture: 0 });
        let picture = image::open(path).with_context(|| path.display().to_string())?.into_rgb8();
        let Some((face, _)) = good.take(&mut *detector, &picture)? else { continue };
        for (how, measured) in &mut spoilt {
            measured.take(&mut *detector, &how.of(&picture, &face, &mut dice))?;
        }
    }
    bar.finish_and_clear();
    let good_at: Vec<[f32; QUANTILES.len()]> = COMPONENTS.iter().map(|(_, of)| good.quantiles(*of)).collect();
    if common.json {
        let components = COMPONENTS.iter().zip(&good_at).map(|((name, of), at)| {
            let quantiles: serde_json::Map<_, _> =
                QUANTILES.iter().zip(at).map(|(share, value)| (share.to_string(), json!(value))).collect();
            let below: serde_json::Map<_, _> = spoilt
                .iter()
                .map(|(how, measured)| (how.word(), json!(measured.median_and_below(*of, at[1]))))
                .collect();
            ((*name).to_owned(), json!({ "good": quantiles, "median_and_below_1_percent": below }))
        });
        let hints = spoilt.iter().map(|(how, measured)| (how.word(), measured.hints_json()));
        let hints: serde_json::Map<_, _> = hints.chain([("good".to_owned(), good.hints_json())]).collect();
        let components: serde_json::Map<_, _> = components.collect();
        println!("{:#}", json!({ "people": good.qualities.len(), "components": components, "hints": hints }));
        return Ok(());
    }
    println!("{} good pictures, {} without a face", good.qualities.len(), good.without_face);
    for ((name, of), at) in COMPONENTS.iter().zip(&good_at) {
        println!(
            "{name}: good .1 % {:.3}, 1 % {:.3}, 5 % {:.3}, median {:.3}, 95 % {:.3}",
            at[0], at[1], at[2], at[3], at[4]
        );
        for (how, measured) in &spoilt {
            let (median, below) = measured.median_and_below(*of, at[1]);
            println!("    {}: median {median:.3}, {:.1} % below the 1 % of good ones", how.word(), 100.0 * below);
        }
    }
    println!("good: {}", good.hints());
    spoilt.iter().for_each(|(how, measured)| println!("{}: {}", how.word(), measured.hints()));
    Ok(())
}

impl Measured {
    /// Finds the face that `picture` is about, and measures it.
    fn take(&mut self, detector: &mut dyn Detector, picture: &RgbImage) -> anyhow::Result<Option<(Face, Rgb)>> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png)?;
        let found = crop_of(detector, &Picture::decode(bytes.get_ref())?)?;
        match &found {
            Some((face, crop)) => self.qualities.push(measure(face, crop)),
            None => self.without_face += 1,
        }
        Ok(found)
    }

    fn quantiles<const N: usize>(&self, of: fn(&Quality) -> f32) -> [f32; N] {
        let mut values: Vec<f32> = self.qualities.iter().map(of).collect();
        values.sort_by(f32::total_cmp);
        std::array::from_fn(|at| {
            let place = (QUANTILES[at] * values.len() as f64) as usize;
            values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or(f32::NAN)
        })
    }

    fn median_and_below(&self, of: fn(&Quality) -> f32, bar: f32) -> (f32, f64) {
        let [_, _, _, median, _] = self.quantiles(of);
        let below = self.qualities.iter().filter(|quality| of(quality) < bar).count();
        (median, below as f64 / self.qualities.len().max(1) as f64)
    }

    /// How often each hint is given.
    fn rates(&self) -> Vec<(Hint, Rate)> {
        let count = |hint: Hint| {
            let mut rate = Rate::default();
            self.qualities.iter().for_each(|quality| rate.count(Hint::of(quality) == Some(hint)));
            (hint, rate)
        };
        Hint::ALL.map(count).into()
    }

    fn hints(&self) -> String {
        let told = self.rates().into_iter().map(|(hint, rate)| format!("{hint:?} {rate}")).collect::<Vec<_>>();
        format!(
            "{}; no face found {} of {}",
            told.join(", "),
            self.without_face,
            self.without_face + self.qualities.len()
        )
    }

    fn hints_json(&self) -> serde_json::Value {
        let rates: serde_json::Map<_, _> =
            self.rates().iter().map(|(hint, rate)| (format!("{hint:?}"), told(rate))).collect();
        json!({ "hints": rates, "without_face": self.without_face })
    }
}
