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

use support::{computes, iresnet, naive, noise, weights};
use usher_models::{
    compute::{Choice, Compute, Precision},
    forward::{Network, Output},
    net::Step,
    weights::{
        lock::{Lock, MODELS},
        onnx,
        recognise::recognised,
        store::Stored,
    },
};

/// Greatest difference, as a share of the greatest reference value of an output: f32 against f64 over 30 layers.
const TOLERANCE: f64 = 1e-4;
/// The same where layers are computed in sixteen bits, and the last layer's weights kept in half precision.
const SIXTEEN_BITS: f64 = 2e-3;
/// The same where every value and weight is: each of thirty layers rounds to a part in 2048.
const ALL_HALF_TOLERANCE: f64 = 3e-2;

/// YuNet's outputs in the order of its file.
const YUNET_OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16",
    "kps_32",
];

fn stored(name: &str) -> Stored {
    let lock = Lock::read(MODELS).unwrap();
    Stored::read(&weights(), name, &lock.network(name).unwrap().sha256).unwrap()
}

fn network(name: &str, compute: &Compute) -> Network {
    Network::new(stored(name), compute).unwrap()
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

fn tolerance(compute: &Compute) -> f64 {
    match compute.precision() {
        Precision::Half => ALL_HALF_TOLERANCE,
        Precision::Full => SIXTEEN_BITS,
    }
}

/// How outputs are laid out in the file of their makers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// As ours.
    Maps,
    /// Pixel by pixel.
    ChannelsLast,
    /// Pixel by pixel, the maps of three strides one after the other.
    Joined,
}

impl Layout {
    fn of(self, ours: &[Output]) -> Vec<Output> {
        let last = || ours.iter().map(channels_last);
        match self {
            Self::Maps => ours.iter().map(|o| Output { shape: o.shape.clone(), data: o.data.clone() }).collect(),
            Self::ChannelsLast => last().collect(),
            Self::Joined => {
                let maps: Vec<Output> = last().collect();
                maps.chunks(3)
                    .map(|maps| Output { shape: vec![], data: maps.iter().flat_map(|map| map.data.clone()).collect() })
                    .collect()
            }
        }
    }
}

fn agree(name: &str, side: (usize, usize), layout: Layout) {
    let input = noise(3 * side.0 * side.1, 7);
    let onnx = std::fs::read(weights().join(format!("{name}.onnx"))).expect("run `usher models install --all`");
    let reference = naive::run(&onnx, &input, side);
    for (compute, most) in with_plain() {
        let ours = network(name, &compute).forward(&input, 1, side.0, side.1).unwrap();
        let differences = differences(&layout.of(&ours), &reference);
        println!("{name} on {compute:?}: greatest relative difference {:.1e}", worst(&differences));
        assert!(differences.iter().all(|d| *d <= most), "{differences:?}");
    }
}

/// What a network is run on, and how far its outputs may be off.
fn with_plain() -> impl Iterator<Item = (Compute, f64)> {
    let fast = computes().into_iter().map(|compute| {
        let most = tolerance(&compute);
        (compute, most)
    });
    fast.chain([(Compute::plain(), TOLERANCE)])
}

#[test]
fn yunet_is_what_its_makers_published() {
    // Small, and neither square nor a power of two: edges and odd halves count as much as the middle.
    agree("yunet", (96, 160), Layout::ChannelsLast);
}

#[test]
fn sface_is_what_its_makers_published() {
    agree("sface", (112, 112), Layout::Maps);
}

#[test]
fn mobilefacenet_is_what_its_makers_published() {
    agree("mobilefacenet", (112, 112), Layout::Maps);
}

#[test]
fn minifasnet_is_what_its_makers_published() {
    agree("minifasnet", (128, 128), Layout::Maps);
}

#[test]
fn retinaface_is_what_its_makers_published() {
    agree("retinaface", (96, 160), Layout::Joined);
    // The file computes one layer of each of its context modules twice.
    let convolutions = stored("retinaface").description.steps.iter().filter(|s| matches!(s, Step::Conv { .. })).count();
    let nodes = onnx::graph(&std::fs::read(weights().join("retinaface.onnx")).unwrap()).unwrap().node;
    assert_eq!(convolutions + 3, nodes.iter().filter(|node| node.op_type == "Conv").count());
}

#[test]
fn an_iresnet_that_a_site_brings_is_what_its_file_says() {
    for folded in [false, true] {
        let bytes = iresnet::onnx(folded);
        let side = (iresnet::SIDE, iresnet::SIDE);
        let input: Vec<f32> = noise(3 * side.0 * side.1, 3).iter().map(|v| v / 128.0 - 1.0).collect();
        let reference = naive::run(&bytes, &input, side);
        let stored = recognised(&onnx::graph(&bytes).unwrap(), "iresnet", "").unwrap();
        // Norms before a padded convolution stay, the others are folded; every sum is in a convolution.
        let count = |of: fn(&Step) -> bool| stored.description.steps.iter().filter(|step| of(step)).count();
        assert_eq!(count(|step| matches!(step, Step::Affine { .. })), 8);
        assert_eq!(count(|step| matches!(step, Step::Conv { residual: Some(_), .. })), 8);
        assert_eq!(count(|step| matches!(step, Step::Add { .. })), 0);
        for (compute, most) in with_plain() {
            let mut network = Network::new(stored.clone(), &compute).unwrap();
            let differences = differences(&network.forward(&input, 1, side.0, side.1).unwrap(), &reference);
            println!("iresnet on {compute:?}: greatest relative difference {:.1e}", worst(&differences));
            assert!(worst(&differences) <= most, "{differences:?}");
        }
    }
}

#[test]
fn all_are_what_the_reference_engine_computed_where_its_output_is_at_hand() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    for (name, file, layout, outputs) in [
        ("yunet", "yunet_2023mar.ref.npz", Layout::ChannelsLast, &YUNET_OUTPUTS[..]),
        ("sface", "sface_2021dec.ref.npz", Layout::Maps, &["fc1"]),
        ("mobilefacenet", "fr_feature.ref.npz", Layout::Maps, &["output"]),
        ("minifasnet", "fr_liveness.ref.npz", Layout::Maps, &["output"]),
    ] {
        let Ok(bytes) = std::fs::read(folder.join(file)) else {
            println!("NOT RUN for {name}: {file} is not at hand (an optional file of the developers)");
            continue;
        };
        let arrays = support::npz(&bytes);
        let input = arrays.iter().find(|a| a.name.starts_with("in")).expect("an input");
        let [1, 3, height, width] = input.shape[..] else { panic!("{:?}", input.shape) };
        let compute = Compute::open(Choice::Cpu).unwrap();
        let mut network = network(name, &compute);
        let ours = layout.of(&network.forward(&input.data, 1, height, width).unwrap());
        let of = |name: &&str| arrays.iter().find(|a| a.name == **name).expect("an output");
        let reference: Vec<Vec<f64>> =
            outputs.iter().map(|name| of(name).data.iter().map(|v| f64::from(*v)).collect()).collect();
        let differences = differences(&ours, &reference);
        println!("{name} against the reference engine: greatest relative difference {:.1e}", worst(&differences));
        assert!(differences.iter().all(|d| *d <= tolerance(&compute)), "{differences:?}");
    }
}
