//! Section `infer`: how pixels become numbers.

use crate::{
    document::{Checks, words::nearest},
    text::{Textual, Unfit, textual, unfit},
    value::{Size, Span},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path, time::Duration};

/// Rows of the detectors' table in `models/`; this crate needs none of what a network needs, so it keeps their names.
pub const DETECTORS: &[&str] = &["yunet"];
/// Rows of the embedders' table in `models/`.
pub const EMBEDDERS: &[&str] = &["sface", "mobilefacenet", "sface+mobilefacenet"];

/// Rows of the liveness networks' table in `models/`.
pub const LIVENESS: &[&str] = &["minifasnet"];

/// Networks, device and sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Infer {
    /// Default `auto`.
    pub device: Device,
    /// Row of the detectors' table, or one that the site brought. Default `yunet`.
    pub detector: String,
    /// Row of the embedders' table, or one that the site brought. Default `sface`.
    pub embedder: String,
    /// The embedder that the gate will change to, if any: enrolment makes templates of it too.
    pub next_embedder: Option<String>,
    /// Rows of the liveness networks' table or some that the site brought, with `+` between them. Default `minifasnet`.
    pub liveness: String,
    /// Whether a look is embedded together with its mirror image. Default false.
    pub mirror_looks: bool,
    /// The detector's input; both sides multiples of 32. Default 640x384.
    pub input: Size,
    /// Least detector confidence, 0.3..=0.9. Default 0.6.
    pub confidence: f32,
    /// Least distance between the eyes of a face worth embedding, in frame pixels, 16..=200. Default 20.
    pub inter_eye_px: f32,
    /// Threads that infer, each with networks of its own, 1..=64; `None`: one for each core, one on a GPU.
    pub workers: Option<usize>,
    /// Most frames of each camera that are analysed a second, 1..=60. Default 15.
    pub analysed_fps: u32,
    /// Most frames of a camera a second while nobody in its picture is undecided about, 1..=60. Default 8.
    pub calm_fps: u32,
    /// How long a picture without tracks and without change may go without the detector, 0 s..=10 s. Default 1 s.
    pub unchanged: Duration,
}

/// Where networks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Device {
    /// CUDA where it is there, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number, or refuse to start.
    Cuda(usize),
}

textual!(Device, "device", "auto");

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl Textual for Device {
    fn read(text: &str) -> Result<Self, Unfit> {
        match text {
            "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            _ => {}
        }
        match text.strip_prefix("cuda:").map(str::parse::<usize>) {
            Some(Ok(number @ 0..=63)) => Ok(Self::Cuda(number)),
            _ => unfit(format!("`{text}` is no device"), "write `auto`, `cpu`, or `cuda:0` for the first GPU"),
        }
    }
}

/// The detector's input, as written: a size whose sides its strides divide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input(pub Size);

textual!(Input, "input-size", "640x384");

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Textual for Input {
    fn read(text: &str) -> Result<Self, Unfit> {
        let size = Size::read(text)?;
        let near = |side: u32| (side.clamp(96, 2048) + 16) / 32 * 32;
        let fits = |side: u32| side.is_multiple_of(32) && (96..=2048).contains(&side);
        if fits(size.width) && fits(size.height) {
            return Ok(Self(size));
        }
        unfit(
            format!("both sides of `{text}` must be multiples of 32, from 96 to 2048"),
            format!("write for instance `{}x{}`", near(size.width), near(size.height)),
        )
    }
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Where networks run: `auto` takes a GPU where there is one, `cpu`, or `cuda:N`, which refuses to start without it.
    #[garde(skip)]
    pub device: Device,
    /// The network that finds faces: `yunet`, or one brought with `usher models import`.
    #[garde(skip)]
    #[schemars(extend("examples" = DETECTORS))]
    pub detector: String,
    /// The network that makes templates of faces: `sface`, `mobilefacenet`, `sface+mobilefacenet`, or one brought with `usher
    /// models import`.
    #[garde(skip)]
    #[schemars(extend("examples" = EMBEDDERS))]
    pub embedder: String,
    /// The embedder that this gate will change to: whoever enrols from now on gets templates of both, so that nobody need
    /// enrol again on the day. `usher migrate` makes those that are missing.
    #[garde(skip)]
    #[schemars(extend("examples" = EMBEDDERS))]
    pub next_embedder: Option<String>,
    /// The network that tells a person from a picture of one, for gates with `liveness`: `minifasnet`, or some brought with
    /// `usher models import`, `+` between them.
    #[garde(skip)]
    #[schemars(extend("examples" = LIVENESS))]
    pub liveness: String,
    /// Whether every look is embedded together with its mirror image, as references always are: twice the embedder's work.
    #[garde(skip)]
    pub mirror_looks: bool,
    /// The picture the detector sees; both sides multiples of 32. Larger finds smaller faces and costs more.
    #[garde(skip)]
    pub input: Input,
    /// Least confidence of a face.
    #[garde(range(min = 0.3, max = 0.9))]
    pub confidence: f64,
    /// Least distance between the eyes of a face that is compared, in pixels of the camera's picture.
    #[garde(range(min = 16.0, max = 200.0))]
    pub inter_eye_px: f64,
    /// Threads that infer, each with networks of its own; without it one for each core, one on a GPU.
    #[garde(range(min = 1, max = 64))]
    pub workers: Option<i64>,
    /// Most frames of each camera that are analysed a second. Under load there are fewer, of idle cameras first.
    #[garde(range(min = 1, max = 60))]
    pub analysed_fps: i64,
    /// The same while nobody is in the picture about whom something could be decided.
    #[garde(range(min = 1, max = 60))]
    pub calm_fps: i64,
    /// A picture without people that does not change is looked at again after this time; `0 s`: as often as any other.
    #[garde(skip)]
    #[schemars(extend("x-least" = "0 s", "x-most" = "10 s"))]
    pub unchanged: Span,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            device: Device::Auto,
            detector: "yunet".to_owned(),
            embedder: "sface".to_owned(),
            next_embedder: None,
            liveness: "minifasnet".to_owned(),
            mirror_looks: false,
            input: Input(Size { width: 640, height: 384 }),
            confidence: 0.6,
            inter_eye_px: 20.0,
            workers: None,
            analysed_fps: 15,
            calm_fps: 8,
            unchanged: Span(Duration::from_secs(1)),
        }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Infer {
        Infer {
            device: self.device,
            detector: self.detector.clone(),
            embedder: self.embedder.clone(),
            next_embedder: self.next_embedder.clone(),
            liveness: self.liveness.clone(),
            mirror_looks: self.mirror_looks,
            input: self.input.0,
            confidence: self.confidence as f32,
            inter_eye_px: self.inter_eye_px as f32,
            workers: self.workers.map(|workers| usize::try_from(workers).unwrap_or(usize::MAX)),
            analysed_fps: u32::try_from(self.analysed_fps).unwrap_or(u32::MAX),
            calm_fps: u32::try_from(self.calm_fps).unwrap_or(u32::MAX),
            unchanged: self.unchanged.0,
        }
    }
}

/// Every network that is named is there: one of ours, or one in the folder `models`.
pub(crate) fn check(checks: &mut Checks<'_>, models: &Path) {
    let Some(infer) = checks.root.get("infer") else { return };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'));
    let is_brought = |name: &str| is_name(name) && models.join(format!("{name}.safetensors")).is_file();
    for (key, known, may_be_several) in [
        ("detector", DETECTORS, false),
        ("embedder", EMBEDDERS, false),
        ("next_embedder", EMBEDDERS, false),
        ("liveness", LIVENESS, true),
    ] {
        let Some(node) = infer.get(key) else { continue };
        let Some(text) = node.text() else { continue };
        let parts = if may_be_several { text.split('+').collect() } else { vec![text] };
        let ours: Vec<&str> = DETECTORS.iter().chain(EMBEDDERS).chain(LIVENESS).copied().collect();
        let is_there = |part: &str| known.contains(&part) || (!ours.contains(&part) && is_brought(part));
        let Some(wrong) = parts.into_iter().find(|part| !is_there(part)) else { continue };
        let mend = match nearest(wrong, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of: {}; or bring it with `usher models import`", known.join(", ")),
        };
        let message =
            format!("there is no network `{wrong}` for `{key}`, and none was brought into {}", models.display());
        checks.find(node.span.clone(), format!("infer.{key}"), message, mend);
    }
}
