//! Every kernel against stock candle operators, emulated on the CPU: tails of tiles, odd sides, edges, batches.
//!
//! Each network runs on a device so small that large tiles are chosen and on one so large that sums are cut, with the
//! threads of a block in either order, in both precisions.

use super::{
    Cuda,
    emulated::{Emulated, Order},
};
use crate::{
    compute::Precision,
    construction::Net,
    forward::Output,
    kernels::numbers,
    net::{Activation, Step},
    plain::Plain,
    plan::arena::Batch,
    weights::{
        lock::{Lock, MODELS},
        onnx,
        recognise::recognised,
        store::Stored,
    },
};
use candle_core::Device;
use proptest::prelude::*;
use std::path::Path;

#[path = "../../tests/support/iresnet.rs"]
mod iresnet;

/// Differences as a share of the greatest value of an output: sums in another order; numbers of eleven bits.
const TOLERANCES: [(Precision, f32); 2] = [(Precision::Full, 2e-5), (Precision::Half, 1e-2)];
/// The same for whole networks: half precision rounds each of some thirty layers.
const OF_NETWORKS: [(Precision, f32); 2] = [(Precision::Full, 1e-4), (Precision::Half, 3e-2)];
/// Processors of a device: a batch fills the first, and nothing fills the last.
const DEVICES: [(usize, Order); 2] = [(1, Order::Backwards), (500, Order::Forwards)];
/// Below this an output counts as nought.
const TINY: f32 = 1e-9;
/// Random networks of each kind: each runs on four devices, in a process of its own.
const CASES: u32 = 12;

impl Net {
    /// Holds what leaves as `outputs` to the stock operators.
    fn agrees_emulated(self, outputs: &[&str], size: (usize, usize, usize)) {
        self.agrees_as_terms_of(outputs, size, TINY);
    }

    /// The same where numbers as great as `term` are added up, so that a sum is no more exact than they are.
    fn agrees_as_terms_of(self, outputs: &[&str], (pictures, height, width): (usize, usize, usize), term: f32) {
        let net = self.leaving(outputs);
        let data = net.pictures((pictures, height, width));
        agrees(&net.stored, &data, Batch { pictures, height, width }, term, &TOLERANCES, 2);
    }
}

/// On each device in each precision, `times` times on one machine: what a run leaves behind is nothing to the next.
fn agrees(stored: &Stored, data: &[f32], batch: Batch, term: f32, tolerances: &[(Precision, f32)], times: usize) {
    let Stored { description, tensors } = stored;
    let plain = Plain::new(stored.clone(), &Device::Cpu).unwrap();
    let wanted = plain.forward(data, batch.pictures, batch.height, batch.width).unwrap();
    for (processors, order) in DEVICES {
        for (precision, tolerance) in tolerances {
            let Some(machine) = Emulated::new(processors, order) else { return };
            let mut cuda =
                Cuda::new(description, tensors, *precision, machine).unwrap().expect("a kernel for each step");
            for _ in 0..times {
                let worst = worst(&cuda.run(data, batch).unwrap(), &wanted, term);
                println!("{} {batch:?}, {processors} processors, {precision:?}: {worst:.1e}", description.name);
                assert!(worst <= *tolerance, "{worst} of the greatest, {processors} processors, {precision:?}");
            }
        }
    }
}

/// The greatest difference, as a share of the greatest value of an output, or of `term` where that is greater.
fn worst(made: &[Output], wanted: &[Output], term: f32) -> f32 {
    assert_eq!(made.len(), wanted.len());
    let of = |(made, wanted): (&Output, &Output)| {
        assert_eq!(made.shape, wanted.shape);
        let greatest = wanted.data.iter().fold(term, |most, v| most.max(v.abs()));
        let differences = made.data.iter().zip(&wanted.data).map(|(a, b)| (a - b).abs());
        // A NaN is the greatest difference.
        differences.fold(0.0f32, |most, d| if d.is_nan() { f32::INFINITY } else { most.max(d) }) / greatest
    };
    made.iter().zip(wanted).map(of).fold(0.0, f32::max)
}

#[test]
fn pointwise() {
    // Few channels and many, more pixels than a tile and fewer, sums of one step and of a tail.
    for (inputs, outputs, size) in
        [(5, 3, (2, 3, 7)), (24, 20, (1, 13, 11)), (72, 90, (3, 9, 8)), (640, 136, (1, 3, 5))]
    {
        Net::new(inputs, 1).conv("in", "out", (outputs, inputs, 1), 1, 0).agrees_emulated(&["out"], size);
    }
    Net::new(16, 2).conv("in", "out", (24, 16, 1), 2, 0).agrees_emulated(&["out"], (2, 7, 9));
}

#[test]
fn windows() {
    for (inputs, outputs, kernel, stride, pad, size) in [
        (9, 17, 3, 1, 1, (2, 7, 9)),
        (16, 40, 3, 2, 1, (1, 12, 11)),
        (40, 70, 5, 2, 2, (1, 9, 13)),
        (8, 8, 2, 2, 0, (3, 6, 6)),
        (64, 64, 3, 1, 0, (1, 12, 14)),
    ] {
        Net::new(inputs, 3).conv("in", "out", (outputs, inputs, kernel), stride, pad).agrees_emulated(&["out"], size);
    }
}

#[test]
fn a_residual_is_added_before_the_activation_however_the_sum_is_cut() {
    // Large tiles and small, whole sums and slices, 1×1 and windows.
    for (inputs, outputs, kernel, size) in
        [(24, 20, 1, (1, 13, 11)), (640, 136, 1, (1, 3, 5)), (40, 70, 3, (2, 9, 8)), (64, 64, 3, (1, 3, 3))]
    {
        for seed in [3, 4, 5] {
            Net::new(inputs, seed)
                .conv("in", "shortcut", (outputs, inputs, 1), 1, 0)
                .conv("in", "out", (outputs, inputs, kernel), 1, kernel / 2)
                .plus("shortcut")
                .agrees_emulated(&["out", "shortcut"], size);
        }
    }
}

/// A picture, of −1..=1, plus what a scale, a shift and an activation make of it; twice that.
fn bent(channels: usize, seed: u64) -> Net {
    let mut net = Net::new(channels, seed).affine("in", "x", channels, true);
    let activation = net.activation(channels);
    net.with(Step::Add { a: "x".into(), b: "in".into(), output: "y".into(), activation }).with(Step::Add {
        a: "y".into(),
        b: "y".into(),
        output: "out".into(),
        activation: Activation::None,
    })
}

#[test]
fn a_sum_that_cancels_is_as_exact_as_its_terms() {
    // −0.04 of the picture less 0.94, plus the picture, and only what is above nought: a hundredth of a term is left.
    bent(9, 3_515_113_146_920_079_540).agrees_as_terms_of(&["out", "x"], (2, 4, 8), 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn convolutions(
        inputs in 1usize..40, outputs in 4usize..70, kernel in 1usize..6, stride in 1usize..3, pad in 0usize..3,
        size in (1usize..4, 5usize..14, 5usize..17), residual in any::<bool>(), seed in any::<u64>()
    ) {
        let mut net = Net::new(inputs, seed);
        if residual {
            net = net.conv("in", "shortcut", (outputs, inputs, kernel), stride, pad);
        }
        net = net.conv("in", "out", (outputs, inputs, kernel), stride, pad);
        if residual {
            net = net.plus("shortcut");
        }
        net.agrees_emulated(&["out"], size);
    }

    #[test]
    fn filters(
        channels in 4usize..40, kernel in 1usize..9, stride in 1usize..4, pad in 0usize..4, residual in any::<bool>(),
        size in (1usize..3, 8usize..14, 8usize..21), seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed);
        let window = [channels, 1, kernel, kernel];
        net.any_conv("in", "shortcut", window, (stride, pad, channels));
        net.any_conv("in", "out", window, (stride, pad, channels));
        if residual {
            net = net.plus("shortcut");
        }
        net.agrees_emulated(&["out"], size);
    }

    #[test]
    fn filters_of_three(
        channels in 4usize..40, stride in 1usize..3, size in (1usize..3, 3usize..14, 3usize..30), seed in any::<u64>()
    ) {
        Net::new(channels, seed).depthwise("in", "out", channels, stride).agrees_emulated(&["out"], size);
    }

    #[test]
    fn colours_scaled_before_the_border_is_added(
        colours in 1usize..5, outputs in 4usize..40, kernel in 1usize..6, stride in 1usize..3, pad in 0usize..3,
        bends in any::<bool>(), size in (1usize..3, 5usize..12, 5usize..17), seed in any::<u64>()
    ) {
        Net::new(colours, seed)
            .affine("in", "scaled", colours, bends)
            .conv("scaled", "out", (outputs, colours, kernel), stride, pad)
            .agrees_emulated(&["out"], size);
    }

    #[test]
    fn a_residual_of_the_picture(outputs in 4usize..20, size in (1usize..3, 2usize..9, 2usize..9), seed in any::<u64>()) {
        Net::new(3, seed)
            .conv("in", "shortcut", (outputs, 3, 1), 1, 0)
            .conv("in", "out", (outputs, 3, 3), 1, 1)
            .plus("shortcut")
            .agrees_emulated(&["out"], size);
    }

    #[test]
    fn halves_sums_and_scales(
        channels in 3usize..40, half in (1usize..5, 1usize..9), pictures in 1usize..3, seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .affine("in", "scaled", channels, false)
            .with(Step::HalveByMax { input: "scaled".into(), output: "half".into() })
            .with(Step::AddDoubled { large: "scaled".into(), small: "half".into(), output: "out".into() })
            .agrees_emulated(&["out", "half"], (pictures, 2 * half.0, 2 * half.1));
    }

    #[test]
    fn an_odd_row_and_column_is_left_out_by_halving(channels in 1usize..9, half in (2usize..5, 2usize..9), seed in any::<u64>()) {
        Net::new(channels, seed)
            .with(Step::HalveByMax { input: "in".into(), output: "out".into() })
            .agrees_emulated(&["out"], (2, 2 * half.0 + 1, 2 * half.1 + 1));
    }

    #[test]
    fn sums_and_scales_bend(channels in 3usize..40, size in (1usize..3, 2usize..9, 2usize..9), seed in any::<u64>()) {
        bent(channels, seed).agrees_as_terms_of(&["out", "x"], size, 1.0);
    }

    #[test]
    fn a_norm_before_a_padded_convolution(
        channels in 4usize..20, outputs in 4usize..20, size in (1usize..3, 3usize..9, 3usize..13), seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .conv("in", "x", (channels, channels, 1), 1, 0)
            .affine("x", "normed", channels, false)
            .conv("x", "shortcut", (outputs, channels, 1), 1, 0)
            .conv("normed", "out", (outputs, channels, 3), 1, 1)
            .plus("shortcut")
            .agrees_emulated(&["out"], size);
    }

    #[test]
    fn squeeze_and_excitation(
        channels in 4usize..40, inside in 1usize..9, plus in any::<bool>(), size in (1usize..4, 3usize..20, 3usize..20),
        seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .conv("in", "x", (channels, channels, 1), 1, 0)
            .excited("x", "out", (channels, inside), plus.then_some("in"))
            .agrees_emulated(&["out", "out-mean", "out-gate"], size);
    }

    #[test]
    fn joined_channels_are_those_of_each_in_turn(
        parts in proptest::collection::vec(1usize..20, 1..5), size in (1usize..3, 2usize..6, 2usize..6), seed in any::<u64>()
    ) {
        Net::joined(&parts, seed).agrees_emulated(&["joined", "out"], size);
    }

    #[test]
    fn heads_are_joined_and_leave_as_they_were(
        channels in 4usize..30, heads in (1usize..12, 1usize..12, 1usize..3), size in (1usize..3, 4usize..6, 4usize..8),
        seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed);
        for (name, outputs) in [("a", heads.0), ("b", heads.1), ("c", heads.2)] {
            net = net.conv("in", &format!("{name}-mixed"), (outputs, channels, 1), 1, 0);
            net = net.depthwise(&format!("{name}-mixed"), name, outputs, 1);
        }
        net.with(Step::Sigmoid { input: "b".into(), output: "sure".into() }).agrees_emulated(&["c", "a", "sure"], size);
    }

    #[test]
    fn classes_of_each_anchor_sum_to_one(
        classes in 1usize..4, anchors in 1usize..4, size in (1usize..3, 2usize..6, 2usize..6), seed in any::<u64>()
    ) {
        // What leaves as it is too, and through a sigmoid besides.
        Net::new(5, seed)
            .conv("in", "boxes", (4 * anchors, 5, 1), 1, 0)
            .conv("in", "scores", (classes * anchors, 5, 1), 1, 0)
            .with(Step::Softmax { input: "scores".into(), output: "share".into(), classes })
            .with(Step::Sigmoid { input: "scores".into(), output: "sure".into() })
            .agrees_emulated(&["boxes", "share", "scores", "sure"], size);
    }

    #[test]
    fn fully_connected(
        channels in 1usize..40, outputs in 4usize..130, pictures in 2usize..6, size in (1usize..8, 1usize..8), seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .linear("in", "out", outputs, channels * size.0 * size.1)
            .agrees_emulated(&["out"], (pictures, size.0, size.1));
    }

    #[test]
    fn rows_of_rows(channels in 1usize..20, inside in 4usize..20, size in (2usize..5, 1usize..4, 1usize..4), seed in any::<u64>()) {
        Net::new(channels, seed)
            .linear("in", "x", inside, channels * size.1 * size.2)
            .linear("x", "y", 7, inside)
            .with(Step::Sigmoid { input: "y".into(), output: "sure".into() })
            .linear("sure", "out", 9, 7)
            .agrees_emulated(&["out", "x", "sure"], size);
    }
}

#[test]
fn batches_of_many_sizes_share_their_room() {
    let Some(machine) = Emulated::new(4, Order::Forwards) else { return };
    let net = Net::new(3, 15).conv("in", "a", (16, 3, 3), 2, 1).conv("a", "out", (24, 16, 1), 1, 0).leaving(&["out"]);
    let Stored { description, tensors } = &net.stored;
    let mut cuda = Cuda::new(description, tensors, Precision::Full, machine).unwrap().unwrap();
    let plain = Plain::new(net.stored.clone(), &Device::Cpu).unwrap();
    for (pictures, height, width) in [(2, 8, 8), (1, 8, 8), (5, 8, 8), (2, 8, 8), (1, 20, 4), (5, 8, 8)] {
        let data = numbers(pictures * 3 * height * width, pictures as u64);
        let wanted = plain.forward(&data, pictures, height, width).unwrap();
        let made = cuda.run(&data, Batch { pictures, height, width }).unwrap();
        assert!(worst(&made, &wanted, TINY) < 1e-5);
    }
    assert!(cuda.run(&[0.0; 12], Batch { pictures: 1, height: 2, width: 3 }).is_err(), "fewer numbers than it says");
    assert!(cuda.run(&[], Batch { pictures: 0, height: 8, width: 8 }).is_err());
}

#[test]
fn what_no_kernel_does_is_left_to_the_other_executor() {
    let Some(machine) = Emulated::new(4, Order::Forwards) else { return };
    let mut net = Net::new(6, 1);
    net.any_conv("in", "out", [6, 2, 3, 3], (1, 1, 3));
    let Stored { description, tensors } = net.leaving(&["out"]).stored;
    let placed = Cuda::new(&description, &tensors, Precision::Full, machine).unwrap();
    assert!(placed.is_none(), "three groups of two");
}

/// An installed network, whole, where it is installed: `make test` sees to that. With its own weights, and with random
/// ones, among which none is zero or as good as that.
fn installed(name: &str, (pictures, height, width): (usize, usize, usize)) {
    let folder = std::env::var_os("USHER_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/models"), Into::into);
    let lock = Lock::read(MODELS).unwrap();
    let Ok(stored) = Stored::read(&folder, name, &lock.network(name).unwrap().sha256) else {
        println!("NOT RUN for {name}: its weights are not in {}", folder.display());
        return;
    };
    let data: Vec<f32> = numbers(pictures * 3 * height * width, 17).iter().map(|v| 127.5 + 127.5 * v).collect();
    let batch = Batch { pictures, height, width };
    agrees(&stored, &data, batch, TINY, &OF_NETWORKS, 1);
    agrees(&with_random_weights(stored), &numbers(data.len(), 23), batch, TINY, &OF_NETWORKS, 1);
}

/// Weights that neither blow values up nor let them vanish; biases and slopes of any sign.
fn with_random_weights(mut stored: Stored) -> Stored {
    let mut tensors: Vec<_> = stored.tensors.iter_mut().collect();
    tensors.sort_by_key(|(name, _)| (*name).clone());
    for (seed, (_, (shape, values))) in tensors.into_iter().enumerate() {
        let inputs: usize = shape[1..].iter().product();
        let most = if shape.len() > 1 { (3.0 / inputs as f32).sqrt() } else { 0.5 };
        *values = numbers(values.len(), seed as u64).into_iter().map(|v| v * most).collect();
    }
    stored
}

#[test]
fn yunet() {
    installed("yunet", (2, 64, 96));
}

#[test]
fn sface() {
    installed("sface", (1, 112, 112));
}

#[test]
fn mobilefacenet() {
    installed("mobilefacenet", (1, 112, 112));
}

#[test]
fn minifasnet() {
    installed("minifasnet", (1, 128, 128));
}

#[test]
fn retinaface() {
    installed("retinaface", (2, 64, 96));
}

#[test]
fn an_embedder_that_a_site_brings() {
    for folded in [false, true] {
        let stored = recognised(&onnx::graph(&iresnet::onnx(folded)).unwrap(), "iresnet", "").unwrap();
        let batch = Batch { pictures: 2, height: iresnet::SIDE, width: iresnet::SIDE };
        let data = numbers(batch.pictures * 3 * batch.height * batch.width, 19);
        agrees(&stored, &data, batch, TINY, &OF_NETWORKS, 1);
    }
}
