//! usher's side of the peers bench: a line of JSON in, a line of JSON out; see `benches/peers/`.
//!
//! A request loads one work, runs it so many times and says how long each call took, or writes what the last call made.

use crate::{cuda::on_cuda, process::set_up};
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime},
};
use usher_models::{
    align::aligned,
    compute::{Choice, Compute},
    forward::{Network, Output},
    image::{Matrix, Plane, Planes, Point, Range, Rgb, Size, View},
    resample::letterbox_into,
    search::{Hit, Index},
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

/// One line from the other side.
#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Load(Load),
    Run { run: usize },
    Output { output: PathBuf },
}

#[derive(Deserialize)]
#[serde(tag = "load", rename_all = "lowercase")]
enum Load {
    /// A network on `(batch, channels, height, width)` f32.
    Network {
        name: String,
        batch: usize,
        height: usize,
        width: usize,
        input: PathBuf,
        /// Where and how; the CPU otherwise.
        #[serde(default)]
        cuda: Option<OnCuda>,
    },
    /// The best `k` rows of a gallery for `count` probes together.
    Search { gallery: PathBuf, length: usize, queries: PathBuf, count: usize, k: usize },
    /// A frame to the detector's input.
    Letterbox { format: String, width: u32, height: u32, input: PathBuf, to_width: u32, to_height: u32 },
    /// A face of a frame to the embedder's input.
    Warp { format: String, width: u32, height: u32, input: PathBuf, landmarks: [[f32; 2]; 5] },
}

/// A CUDA device, as a request names it.
#[derive(Clone, Copy, Deserialize)]
struct OnCuda {
    half: bool,
    graphs: bool,
}

/// What was loaded, and room for what it makes.
enum Work {
    Network { network: Network, input: Vec<f32>, size: (usize, usize, usize), made: Vec<Output> },
    Search { index: Arc<Index>, probes: Vec<Vec<f32>>, most: usize, made: Vec<Vec<Hit>> },
    Letterbox { frame: Nv12, picture: Rgb },
    Warp { frame: Nv12, landmarks: [Point; 5], crop: Option<Rgb> },
}

/// A frame: luma, then interleaved chroma; BT.601, limited range.
struct Nv12 {
    size: Size,
    bytes: Vec<u8>,
}

impl Nv12 {
    fn read(format: &str, width: u32, height: u32, input: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(input)?;
        if format != "nv12" || bytes.len() != (width * height * 3 / 2) as usize {
            bail!("{} bytes of {format} for {width}x{height}", bytes.len());
        }
        Ok(Self { size: Size { width, height }, bytes })
    }

    fn view(&self) -> View<'_> {
        let stride = self.size.width as usize;
        let (luma, chroma) = self.bytes.split_at(stride * self.size.height as usize);
        let planes = Planes::Nv12 { luma: Plane { data: luma, stride }, chroma: Plane { data: chroma, stride } };
        View { size: self.size, planes, matrix: Matrix::Bt601, range: Range::Limited }
    }
}

/// Answers until the other side closes.
pub(crate) fn serve() -> anyhow::Result<()> {
    let (mut work, mut galleries) = (None, HashMap::new());
    for line in std::io::stdin().lock().lines() {
        let answer =
            answer(&line?, &mut work, &mut galleries).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The gallery of a file as it was then: one is searched in several works.
type Galleries = HashMap<(PathBuf, SystemTime), Arc<Index>>;

fn answer(line: &str, work: &mut Option<Work>, galleries: &mut Galleries) -> anyhow::Result<Value> {
    match serde_json::from_str(line).context("a request that is none")? {
        Request::Load(load) => {
            // What was loaded before goes first: both may be large.
            *work = None;
            *work = Some(Work::load(load, galleries)?);
            Ok(json!({ "ok": true }))
        }
        Request::Run { run } => {
            let work = work.as_mut().context("nothing is loaded")?;
            let mut seconds = Vec::with_capacity(run);
            for _ in 0..run {
                let begun = Instant::now();
                work.run()?;
                seconds.push(begun.elapsed().as_secs_f64());
            }
            Ok(json!({ "seconds": seconds }))
        }
        Request::Output { output } => work.as_ref().context("nothing is loaded")?.write(&output),
    }
}

impl Work {
    fn load(load: Load, galleries: &mut Galleries) -> anyhow::Result<Self> {
        Ok(match load {
            Load::Network { name, batch, height, width, input, cuda } => {
                let lock = Lock::read(MODELS)?;
                let row = lock.network(&name).with_context(|| format!("no network {name}"))?;
                let stored = Stored::read(&set_up("models", "USHER_MODELS")?, &name, &row.sha256)?;
                let compute = match cuda {
                    None => Compute::open(Choice::Cpu)?,
                    Some(OnCuda { half, graphs }) => on_cuda(half, graphs)?,
                };
                let network = Network::new(stored, &compute)?;
                let input = floats(&std::fs::read(input)?);
                Self::Network { network, input, size: (batch, height, width), made: Vec::new() }
            }
            Load::Search { gallery, length, queries, count, k } => {
                let key = (gallery.clone(), std::fs::metadata(&gallery)?.modified()?);
                if !galleries.contains_key(&key) {
                    galleries.clear();
                    galleries.insert(key.clone(), Arc::new(indexed(&gallery, length)?));
                }
                let probes: Vec<Vec<f32>> =
                    floats(&std::fs::read(queries)?).chunks_exact(length).map(<[f32]>::to_vec).collect();
                if probes.len() != count {
                    bail!("{} probes, not {count}", probes.len());
                }
                let index = galleries.get(&key).context("it was put there above")?.clone();
                Self::Search { index, probes, most: k, made: Vec::new() }
            }
            Load::Letterbox { format, width, height, input, to_width, to_height } => {
                let frame = Nv12::read(&format, width, height, &input)?;
                let picture = Rgb { size: Size { width: to_width, height: to_height }, data: Vec::new() };
                Self::Letterbox { frame, picture }
            }
            Load::Warp { format, width, height, input, landmarks } => {
                let frame = Nv12::read(&format, width, height, &input)?;
                Self::Warp { frame, landmarks: landmarks.map(|[x, y]| Point { x, y }), crop: None }
            }
        })
    }

    fn run(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Network { network, input, size: (batch, height, width), made } => {
                *made = network.forward(input, *batch, *height, *width)?;
            }
            Self::Search { index, probes, most, made } => {
                let probes: Vec<&[f32]> = probes.iter().map(Vec::as_slice).collect();
                *made = index.best(&probes, *most)?;
            }
            Self::Letterbox { frame, picture } => {
                letterbox_into(&frame.view(), picture);
            }
            Self::Warp { frame, landmarks, crop } => *crop = Some(aligned(&frame.view(), landmarks)),
        }
        Ok(())
    }

    /// Writes what the last call made; answers with the shapes.
    fn write(&self, to: &Path) -> anyhow::Result<Value> {
        let picture = |rgb: &Rgb| (vec![3, rgb.size.height as usize, rgb.size.width as usize], bytes(&rgb.data));
        let made: Vec<(Vec<usize>, Vec<u8>)> = match self {
            Self::Network { made, .. } => {
                made.iter().map(|output| (output.shape.clone(), bytes(&output.data))).collect()
            }
            Self::Search { made, most, .. } => {
                let hits = || made.iter().flatten();
                let rows: Vec<u8> = hits().flat_map(|hit| (hit.row as u32).to_le_bytes()).collect();
                let mut beside = to.as_os_str().to_owned();
                beside.push(".index");
                std::fs::write(beside, rows)?;
                vec![(vec![made.len(), *most], hits().flat_map(|hit| hit.score.0.to_le_bytes()).collect())]
            }
            Self::Letterbox { picture: rgb, .. } => vec![picture(rgb)],
            Self::Warp { crop, .. } => vec![picture(crop.as_ref().context("nothing was run")?)],
        };
        let (shapes, bytes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        std::fs::write(to, bytes.concat())?;
        Ok(json!({ "shapes": shapes }))
    }
}

/// The rows of a file as an index.
fn indexed(file: &Path, length: usize) -> anyhow::Result<Index> {
    let bytes = std::fs::read(file)?;
    let mut index = Index::with_capacity(length, bytes.len() / 4 / length);
    for row in bytes.chunks_exact(4 * length) {
        index.push(&floats(row))?;
    }
    Ok(index)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|v| v.to_le_bytes()).collect()
}
