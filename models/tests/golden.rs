//! Our forward pass against an independent one.
//!
//! Over the file that the makers published. The reference (`support/naive.rs`) reads the original ONNX itself, with its
//! own protobuf reader, dequantises by itself, keeps every batch norm as it is and computes with plain loops in f64. It shares no line with the product.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; it says what it measured"
)]

mod support;

use support::{computes, naive, noise, weights};
use usher_models::{
    compute::{Choice, Compute, Precision},
    forward::{Network, Output},
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

/// Greatest difference, as a share of the greatest reference value of an output: f32 against f64 over 30 layers.
const TOLERANCE: f64 = 1e-4;
/// The same where the last layer's weights are kept in half precision: a part in 2048 of each of 50,176 terms.
const HALF_TOLERANCE: f64 = 5e-4;
/// The same where every value and weight is: each of thirty layers rounds to a part in 2048.
const ALL_HALF_TOLERANCE: f64 = 3e-2;

/// YuNet's outputs in the order of its file.
const YUNET_OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16",
    "kps_32",
];

fn network(name: &str, compute: &Compute) -> Network {
    let lock = Lock::read(MODELS).unwrap();
    let stored = Stored::read(&weights(), name, &lock.network(name).unwrap().sha256).unwrap();
    Network::new(stored, compute).unwrap()
}

fn differences(ours: &[Output], reference: &[Vec<f64>]) -> Vec<f64> {
    assert_eq!(ours.len(), reference.len());
    ours.iter()
        .zip(reference)
        .map(|(ours, reference)| {
            assert_eq!(ours.data.len(), reference.len(), "{:?}", ours.shape);
            let greatest = reference.iter().fold(1e-9f64, |most, v| most.max(v.abs()));
            let worst = ours.data.iter().zip(reference).fold(0f64, |most, (a, b)| most.max((f64::from(*a) - b).abs()));
            worst / greatest
        })
        .collect()
}

fn worst(differences: &[f64]) -> f64 {
    differences.iter().copied().fold(0.0, f64::max)
}

/// `(B, C, H, W)` to `(B, H·W, C)`, the layout in which YuNet publishes its outputs.
fn channels_last(output: &Output) -> Output {
    let [batch, channels, height, width] = output.shape[..] else { panic!("{:?}", output.shape) };
    let pixels = height * width;
    let data = (0..batch * pixels * channels)
        .map(|i| {
            let (b, pixel, channel) = (i / (pixels * channels), i / channels % pixels, i % channels);
            output.data[(b * channels + channel) * pixels + pixel]
        })
        .collect();
    Output { shape: vec![batch, pixels, channels], data }
}

fn tolerance(name: &str, compute: &Compute) -> f64 {
    match (compute.precision(), name) {
        (Precision::Half, _) => ALL_HALF_TOLERANCE,
        (Precision::Full, "sface") => HALF_TOLERANCE,
        (Precision::Full, _) => TOLERANCE,
    }
}

fn agree(name: &str, side: (usize, usize), last: bool) {
    let input = noise(3 * side.0 * side.1, 7);
    let onnx = std::fs::read(weights().join(format!("{name}.onnx"))).expect("run `usher models install`");
    let reference = naive::run(&onnx, &input, side);
    for compute in computes().into_iter().chain([Compute::plain()]) {
        let mut ours = network(name, &compute).forward(&input, 1, side.0, side.1).unwrap();
        if last {
            ours = ours.iter().map(channels_last).collect();
        }
        let differences = differences(&ours, &reference);
        println!("{name} on {compute:?}: greatest relative difference {:.1e}", worst(&differences));
        assert!(differences.iter().all(|d| *d <= tolerance(name, &compute)), "{differences:?}");
    }
}

#[test]
fn yunet_is_what_its_makers_published() {
    // Small, and neither square nor a power of two: edges and odd halves count as much as the middle.
    agree("yunet", (96, 160), true);
}

#[test]
fn sface_is_what_its_makers_published() {
    agree("sface", (112, 112), false);
}

#[test]
fn both_are_what_the_reference_engine_computed_where_its_output_is_at_hand() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    for (name, file, last) in [("yunet", "yunet_2023mar.ref.npz", true), ("sface", "sface_2021dec.ref.npz", false)] {
        let Ok(bytes) = std::fs::read(folder.join(file)) else {
            println!("NOT RUN for {name}: {file} is not at hand (an optional file of the developers)");
            continue;
        };
        let arrays = support::npz(&bytes);
        let input = arrays.iter().find(|a| a.name.starts_with("in")).expect("an input");
        let [1, 3, height, width] = input.shape[..] else { panic!("{:?}", input.shape) };
        let compute = Compute::open(Choice::Cpu).unwrap();
        let mut network = network(name, &compute);
        let mut ours = network.forward(&input.data, 1, height, width).unwrap();
        if last {
            ours = ours.iter().map(channels_last).collect();
        }
        let names: &[&str] = if last { &YUNET_OUTPUTS } else { &["fc1"] };
        let of = |name: &&str| arrays.iter().find(|a| a.name == **name).expect("an output");
        let reference: Vec<Vec<f64>> =
            names.iter().map(|name| of(name).data.iter().map(|v| f64::from(*v)).collect()).collect();
        let differences = differences(&ours, &reference);
        println!("{name} against the reference engine: greatest relative difference {:.1e}", worst(&differences));
        assert!(differences.iter().all(|d| *d <= tolerance(name, &compute)), "{differences:?}");
    }
}
