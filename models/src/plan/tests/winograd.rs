//! Layers that the plan does by Winograd's transforms.

use super::Net;
use crate::net::{Activation, Step};
use proptest::prelude::*;

proptest! {
    #[test]
    fn three_by_three_in_tiles(
        inputs in 8usize..30, outputs in 8usize..30, residual in any::<bool>(),
        size in (1usize..4, 1usize..15, 1usize..15), seed in any::<u64>()
    ) {
        let mut net = Net::new(inputs, seed).conv("in", "x", (outputs, inputs, 1), 1, 0);
        net = net.conv("in", "out", (outputs, inputs, 3), 1, 1);
        if residual {
            net = net.plus("x");
        }
        net.agrees_planned(&["out", "x"], size)?;
    }

    #[test]
    fn a_norm_before_tiles(
        channels in 8usize..30, outputs in 8usize..30, residual in any::<bool>(),
        size in (1usize..3, 1usize..15, 1usize..15), seed in any::<u64>()
    ) {
        let mut net = Net::new(channels, seed);
        let (scale, shift) = (net.tensor(&[channels]), net.tensor(&[channels]));
        let norm =
            Step::Affine { input: "x".into(), output: "normed".into(), scale, shift, activation: Activation::None };
        net = net.conv("in", "x", (channels, channels, 1), 1, 0).with(norm);
        net = net.conv("x", "shortcut", (outputs, channels, 1), 1, 0);
        net = net.conv("normed", "out", (outputs, channels, 3), 1, 1);
        if residual {
            net = net.plus("shortcut");
        }
        net.agrees_planned(&["out", "shortcut"], size)?;
    }

    #[test]
    fn layers_share_the_room_between_transforms(
        inputs in 8usize..30, outputs in (8usize..60, 8usize..30), size in (1usize..3, 1usize..12, 1usize..12),
        seed in any::<u64>()
    ) {
        Net::new(inputs, seed)
            .conv("in", "x", (outputs.0, inputs, 3), 1, 1)
            .conv("in", "y", (outputs.1, inputs, 3), 1, 1)
            .agrees_planned(&["x", "y"], size)?;
    }
}

/// So many weights that tiles are small.
#[test]
fn wide_layers() {
    Net::new(256, 4).conv("in", "out", (257, 256, 3), 1, 1).agrees_planned(&["out"], (2, 7, 9)).unwrap();
}
