//! What several tests of this crate need.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(clippy::print_stdout, reason = "a test says what it did not run")]
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod brought;
pub(crate) mod iresnet;
pub(crate) mod naive;

use rand::{RngExt as _, SeedableRng as _};
use std::{
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
};
use usher_models::compute::{Choice, Compute, Precision};

/// The weights folder: `$USHER_MODELS`, or `data/models` of the workspace. Without weights a test fails.
pub(crate) fn weights() -> PathBuf {
    let folder = std::env::var_os("USHER_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/models"), PathBuf::from);
    for network in ["yunet", "sface", "mobilefacenet", "minifasnet", "retinaface"] {
        assert!(
            folder.join(format!("{network}.safetensors")).is_file(),
            "there is no {network} in {}; run `usher models install --all`, or set USHER_MODELS to the folder that has it",
            folder.display()
        );
    }
    folder
}

/// What a test of a network runs on: the CPU, and the CUDA device where there is one in single precision, without recorded
/// launches, and in half. With `USHER_TEST_CUDA` set there must be one.
pub(crate) fn computes() -> Vec<Compute> {
    let mut computes = vec![Compute::open(Choice::Cpu).unwrap()];
    let device = if std::env::var_os("USHER_TEST_CUDA").is_some() {
        Compute::open(Choice::Cuda(0)).expect("USHER_TEST_CUDA is set, so there must be a CUDA device")
    } else {
        Compute::open(Choice::Auto).unwrap()
    };
    if device.name() == "cuda" {
        let half = device.clone().in_precision(Precision::Half);
        computes.extend([device.clone(), device.without_graphs(), half]);
    } else {
        println!("NOT RUN on a CUDA device: there is none here, or this build has no CUDA");
    }
    computes
}

/// Numbers of 0..255 as smooth as a picture, always the same for a seed.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut value = 128f32;
    (0..n)
        .map(|_| {
            value = (value + random.random_range(-40f32..40.0)).clamp(0.0, 255.0);
            value
        })
        .collect()
}

/// An array of an `.npz`.
pub(crate) struct Array {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// The f32 arrays of an `.npz`, as numpy writes them.
pub(crate) fn npz(bytes: &[u8]) -> Vec<Array> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let name = file.name().unwrap().trim_end_matches(".npy").to_owned();
            let mut npy = Vec::new();
            file.read_to_end(&mut npy).unwrap();
            let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
            let text = String::from_utf8_lossy(&npy[10..header]).into_owned();
            assert!(text.contains("'<f4'") && text.contains("'fortran_order': False"), "{text}");
            let dims = text.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0;
            let shape = dims.split(',').filter_map(|dim| dim.trim().parse().ok()).collect();
            let data = npy[header..].as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
            Array { name, shape, data }
        })
        .collect()
}
