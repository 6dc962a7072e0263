//! Every layer against stock candle operators, on random shapes: tails of blocks, odd sides, edges, batches.

use super::{Plan, arena::Batch};
use crate::{
    construction::Net,
    forward::Output,
    kernels::{near, numbers, simd::isa::Isa},
    net::{Activation, Step},
    plain::Plain,
    weights::store::Stored,
};
use candle_core::Device;
use proptest::prelude::*;

impl Net {
    /// Whether every instruction set and the stock operators agree on what leaves as `outputs`.
    fn agrees_planned(
        self,
        outputs: &[&str],
        (pictures, height, width): (usize, usize, usize),
    ) -> Result<(), TestCaseError> {
        let net = self.leaving(outputs);
        let data = net.pictures((pictures, height, width));
        let Stored { description, tensors } = &net.stored;
        let batch = Batch { pictures, height, width };
        let mut made = Vec::new();
        for isa in Isa::all() {
            let mut plan = Plan::new(description, tensors, isa).expect("there is a kernel for each step");
            if !matches!(isa, Isa::Portable) {
                // Another batch before, then the same twice: nothing of it may be left.
                let _other =
                    plan.run(&numbers(description.channels * 64 * 64, 1), Batch { pictures: 1, height: 64, width: 64 });
                made.push(plan.run(&data, batch).unwrap());
            }
            made.push(plan.run(&data, batch).unwrap());
        }
        let wanted = Plain::new(net.stored, &Device::Cpu).unwrap().forward(&data, pictures, height, width).unwrap();
        for made in &made {
            same(made, &wanted)?;
        }
        Ok(())
    }
}

fn same(made: &[Output], wanted: &[Output]) -> Result<(), TestCaseError> {
    prop_assert_eq!(made.len(), wanted.len());
    for (made, wanted) in made.iter().zip(wanted) {
        prop_assert_eq!(&made.shape, &wanted.shape);
        prop_assert!(near(&made.data, &wanted.data), "{:?}\n{:?}", &made.data, &wanted.data);
    }
    Ok(())
}

proptest! {
    #[test]
    fn pointwise(inputs in 1usize..40, outputs in 1usize..40, size in (1usize..3, 1usize..9, 1usize..13), seed in any::<u64>()) {
        Net::new(inputs, seed).conv("in", "out", (outputs, inputs, 1), 1, 0).agrees_planned(&["out"], size)?;
    }

    #[test]
    fn windows(
        inputs in 1usize..20, outputs in 1usize..20, kernel in 1usize..6, stride in 1usize..3, pad in 0usize..3,
        size in (1usize..3, 5usize..11, 5usize..17), seed in any::<u64>()
    ) {
        Net::new(inputs, seed).conv("in", "out", (outputs, inputs, kernel), stride, pad).agrees_planned(&["out"], size)?;
    }

    #[test]
    fn colours(
        outputs in 1usize..40, stride in 1usize..3, pad in 0usize..3, size in (1usize..3, 3usize..11, 3usize..17),
        seed in any::<u64>()
    ) {
        Net::new(3, seed)
            .affine("in", "scaled", 3, false)
            .conv("scaled", "out", (outputs, 3, 3), stride, pad)
            .agrees_planned(&["out"], size)?;
    }

    #[test]
    fn filters(
        channels in 2usize..20, stride in 1usize..3, size in (1usize..3, 1usize..9, 1usize..21), seed in any::<u64>()
    ) {
        Net::new(channels, seed).depthwise("in", "out", channels, stride).agrees_planned(&["out"], size)?;
    }

    #[test]
    fn a_mix_and_a_filter_row_by_row(
        inputs in 1usize..20, channels in 2usize..30, stride in 1usize..3, size in (1usize..3, 1usize..9, 1usize..21),
        seed in any::<u64>()
    ) {
        Net::new(inputs, seed)
            .conv("in", "mixed", (channels, inputs, 1), 1, 0)
            .depthwise("mixed", "out", channels, stride)
            .agrees_planned(&["out"], size)?;
    }

    #[test]
    fn a_chain_row_by_row(
        channels in (1usize..20, 2usize..20, 2usize..30), strides in (1usize..3, 1usize..3, 1usize..3), pad in 0usize..3,
        is_halved in any::<bool>(), size in (1usize..3, 9usize..20, 9usize..24), seed in any::<u64>()
    ) {
        let mut net = Net::new(3, seed)
            .conv("in", "first", (channels.1, 3, 3), strides.0, pad)
            .depthwise("first", "filtered", channels.1, strides.1);
        if is_halved {
            net.step(Step::HalveByMax { input: "filtered".into(), output: "smaller".into() });
        }
        net.conv(if is_halved { "smaller" } else { "filtered" }, "mixed", (channels.2, channels.1, 1), 1, 0)
            .depthwise("mixed", "again", channels.2, strides.2)
            .conv("again", "out", (channels.0, channels.2, 1), 1, 0)
            .agrees_planned(&["out"], size)?;
    }

    #[test]
    fn halves_sums_and_scales(
        channels in 1usize..20, half in (1usize..5, 1usize..9), pictures in 1usize..3, seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .affine("in", "scaled", channels, false)
            .with(Step::HalveByMax { input: "scaled".into(), output: "half".into() })
            .with(Step::AddDoubled { large: "scaled".into(), small: "half".into(), output: "out".into() })
            .agrees_planned(&["out", "half"], (pictures, 2 * half.0, 2 * half.1))?;
    }

    #[test]
    fn an_odd_row_and_column_is_left_out_by_halving(channels in 1usize..9, half in (1usize..5, 1usize..9), seed in any::<u64>()) {
        Net::new(channels, seed)
            .with(Step::HalveByMax { input: "in".into(), output: "out".into() })
            .agrees_planned(&["out"], (2, 2 * half.0 + 1, 2 * half.1 + 1))?;
    }

    #[test]
    fn heads_are_joined_and_leave_as_they_were(
        channels in 1usize..20, heads in (1usize..12, 1usize..12, 1usize..3), size in (1usize..3, 2usize..6, 2usize..8),
        seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed);
        for (name, outputs) in [("a", heads.0), ("b", heads.1), ("c", heads.2)] {
            net = net.conv("in", &format!("{name}-mixed"), (outputs, channels, 1), 1, 0);
            net = net.depthwise(&format!("{name}-mixed"), name, outputs, 1);
        }
        net.with(Step::Sigmoid { input: "b".into(), output: "sure".into() }).agrees_planned(&["a", "sure", "c"], size)?;
    }

    #[test]
    fn fully_connected(
        channels in 1usize..20, outputs in 1usize..70, pictures in 1usize..6, size in (1usize..4, 1usize..4), seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .linear("in", "out", outputs, channels * size.0 * size.1)
            .agrees_planned(&["out"], (pictures, size.0, size.1))?;
    }
}

proptest! {
    #[test]
    fn a_residual_is_added_to_the_last_of_a_chain(
        channels in (2usize..20, 2usize..40), size in (1usize..3, 1usize..9, 1usize..13), seed in any::<u64>()
    ) {
        let (outside, inside) = channels;
        Net::new(outside, seed)
            .conv("in", "x", (outside, outside, 1), 1, 0)
            .conv("x", "more", (inside, outside, 1), 1, 0)
            .depthwise("more", "filtered", inside, 1)
            .conv("filtered", "y", (outside, inside, 1), 1, 0)
            .plus("x")
            .conv("y", "again", (inside, outside, 1), 1, 0)
            .depthwise("again", "out", inside, 2)
            .agrees_planned(&["out"], size)?;
    }

    #[test]
    fn a_residual_is_added_before_the_activation(
        inputs in 1usize..20, outputs in 1usize..40, kernel in 0usize..2, stride in 1usize..3,
        size in (1usize..3, 5usize..11, 5usize..17), seed in any::<u64>()
    ) {
        let kernel = 2 * kernel + 1;
        Net::new(inputs, seed)
            .conv("in", "shortcut", (outputs, inputs, 1), stride, 0)
            .conv("in", "out", (outputs, inputs, kernel), stride, kernel / 2)
            .plus("shortcut")
            .agrees_planned(&["out", "shortcut"], size)?;
    }

    #[test]
    fn a_residual_of_a_filter(channels in 2usize..20, size in (1usize..3, 1usize..9, 1usize..9), seed in any::<u64>()) {
        Net::new(channels, seed).depthwise("in", "out", channels, 1).plus("in").agrees_planned(&["out"], size)?;
    }

    #[test]
    fn filters_of_any_side(
        channels in 2usize..20, kernel in 1usize..9, stride in 1usize..4, pad in 0usize..4,
        size in (1usize..3, 8usize..11, 8usize..13), seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed);
        net.any_conv("in", "out", [channels, 1, kernel, kernel], (stride, pad, channels));
        net.agrees_planned(&["out"], size)?;
    }

    #[test]
    fn a_norm_before_a_padded_convolution(
        channels in 4usize..20, outputs in 1usize..20, residual in any::<bool>(),
        size in (1usize..3, 3usize..9, 3usize..13), seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed)
            .conv("in", "x", (channels, channels, 1), 1, 0)
            .affine("x", "normed", channels, false)
            .conv("x", "shortcut", (outputs, channels, 1), 1, 0)
            .conv("normed", "out", (outputs, channels, 3), 1, 1);
        if residual {
            net = net.plus("shortcut");
        }
        net.agrees_planned(&["out", "shortcut"], size)?;
    }

    #[test]
    fn squeeze_and_excitation(
        channels in 1usize..20, inside in 1usize..9, plus in any::<bool>(), size in (1usize..4, 1usize..9, 1usize..9),
        seed in any::<u64>()
    ) {
        Net::new(channels, seed)
            .conv("in", "x", (channels, channels, 1), 1, 0)
            .excited("x", "out", (channels, inside), plus.then_some("in"))
            .agrees_planned(&["out", "out-mean"], size)?;
    }

    #[test]
    fn sums_and_scales_bend(
        channels in 1usize..20, size in (1usize..3, 1usize..9, 1usize..9), seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed).affine("in", "x", channels, true);
        let activation = net.activation(channels);
        net.with(Step::Add { a: "x".into(), b: "in".into(), output: "y".into(), activation })
            .with(Step::Add { a: "y".into(), b: "y".into(), output: "out".into(), activation: Activation::None })
            .agrees_planned(&["out"], size)?;
    }

    #[test]
    fn joined_channels_are_those_of_each_in_turn(
        parts in proptest::collection::vec(1usize..20, 1..5), size in (1usize..3, 1usize..6, 1usize..6), seed in any::<u64>()
    ) {
        Net::joined(&parts, seed).agrees_planned(&["joined", "out"], size)?;
    }

    #[test]
    fn classes_of_each_anchor_sum_to_one(
        classes in 1usize..4, anchors in 1usize..4, size in (1usize..3, 1usize..6, 1usize..6), seed in any::<u64>()
    ) {
        Net::new(5, seed)
            .conv("in", "scores", (classes * anchors, 5, 1), 1, 0)
            .conv("in", "boxes", (4 * anchors, 5, 1), 1, 0)
            .with(Step::Softmax { input: "scores".into(), output: "sure".into(), classes })
            .agrees_planned(&["boxes", "sure"], size)?;
    }

    #[test]
    fn rows_of_rows(channels in 1usize..20, inside in 1usize..20, pictures in 1usize..5, seed in any::<u64>()) {
        Net::new(channels, seed)
            .linear("in", "x", inside, channels)
            .linear("x", "out", 7, inside)
            .agrees_planned(&["out", "x"], (pictures, 1, 1))?;
    }
}

/// As many weights as are not kept in a cache.
#[test]
fn heavy_weights() {
    Net::new(90, 3).conv("in", "out", (260, 90, 3), 1, 0).agrees_planned(&["out"], (1, 3, 5)).unwrap();
}

#[test]
fn a_batch_that_does_not_fit_is_an_error_not_a_panic() {
    let net = Net::new(3, 1).conv("in", "out", (4, 3, 3), 1, 0).leaving(&["out"]);
    let mut plan = Plan::new(&net.stored.description, &net.stored.tensors, Isa::best()).unwrap();
    let size = |pictures, height, width| Batch { pictures, height, width };
    assert!(plan.run(&[0.0; 12], size(1, 2, 2)).is_err(), "smaller than the kernel");
    assert!(plan.run(&[0.0; 48], size(1, 4, 5)).is_err(), "fewer numbers than the batch says");
    assert!(plan.run(&[], size(0, 4, 4)).is_err());
    assert!(plan.run(&[0.0; 48], size(1, 4, 4)).is_ok());
}

#[test]
fn what_no_kernel_does_is_left_to_the_other_executor() {
    let mut net = Net::new(6, 1);
    net.any_conv("in", "out", [6, 2, 3, 3], (1, 1, 3));
    let net = net.leaving(&["out"]);
    assert!(Plan::new(&net.stored.description, &net.stored.tensors, Isa::best()).is_none(), "three groups of two");
}

mod winograd;
