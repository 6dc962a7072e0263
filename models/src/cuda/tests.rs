//! Every kernel against stock candle operators, emulated on the CPU: tails of tiles, odd sides, edges, batches.
//!
//! Each network runs on a device so small that large tiles are chosen and on one so large that sums are cut, with the
//! threads of a block in either order, in both precisions.

use super::{
    Cuda,
    emulated::{Emulated, Order},
    lower::Tensors,
};
use crate::{
    compute::Precision,
    forward::Output,
    kernels::numbers,
    net::{Activation, Description, FORMAT, Step},
    plain::Plain,
    plan::arena::Batch,
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};
use candle_core::Device;
use std::path::Path;

/// Differences as a share of the greatest value of an output: sums in another order; numbers of eleven bits.
const TOLERANCES: [(Precision, f32); 2] = [(Precision::Full, 2e-5), (Precision::Half, 1e-2)];
/// Processors of a device: a batch fills the first, and nothing fills the last.
const DEVICES: [(usize, Order); 2] = [(1, Order::Backwards), (500, Order::Forwards)];

/// A network under construction.
struct Net {
    description: Description,
    tensors: Tensors,
    seed: u64,
}

impl Net {
    fn new(channels: usize, seed: u64) -> Self {
        let description = Description {
            format: FORMAT,
            name: "test".into(),
            source_sha256: String::new(),
            input: "in".into(),
            channels,
            outputs: Vec::new(),
            steps: Vec::new(),
        };
        Self { description, tensors: Tensors::new(), seed }
    }

    fn tensor(&mut self, shape: &[usize]) -> String {
        let name = format!("t{}", self.tensors.len());
        self.seed += 1;
        self.tensors.insert(name.clone(), (shape.to_vec(), numbers(shape.iter().product(), self.seed)));
        name
    }

    /// `(outputs, inputs of a group, kernel)`, and stride, padding and groups.
    fn conv(
        mut self,
        from: &str,
        to: &str,
        (outputs, inputs, kernel): (usize, usize, usize),
        (stride, pad, groups): (usize, usize, usize),
    ) -> Self {
        let weight = self.tensor(&[outputs, inputs, kernel, kernel]);
        let (bias, slope) = (self.tensor(&[outputs]), self.tensor(&[outputs]));
        let activation = match self.tensors.len() % 9 {
            0 => Activation::None,
            3 => Activation::Relu,
            _ => Activation::Prelu(slope),
        };
        let (input, output) = (from.into(), to.into());
        self.with(Step::Conv { input, output, weight, bias, stride, pad, groups, residual: None, activation })
    }

    fn with(mut self, step: Step) -> Self {
        self.description.steps.push(step);
        self
    }

    /// Holds what leaves as `outputs` to the stock operators.
    fn agrees(mut self, outputs: &[&str], (pictures, height, width): (usize, usize, usize)) {
        self.description.outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        let data = numbers(pictures * self.description.channels * height * width, self.seed ^ 77);
        let stored = Stored { description: self.description, tensors: self.tensors };
        agrees(&stored, &data, Batch { pictures, height, width }, &TOLERANCES, 2);
    }
}

/// On each device in each precision, `times` times on one machine: what a run leaves behind is nothing to the next.
fn agrees(stored: &Stored, data: &[f32], batch: Batch, tolerances: &[(Precision, f32)], times: usize) {
    let Stored { description, tensors } = stored;
    let copy = Stored { description: description.clone(), tensors: tensors.clone() };
    let plain = Plain::new(copy, &Device::Cpu).unwrap();
    let wanted = plain.forward(data, batch.pictures, batch.height, batch.width).unwrap();
    for (processors, order) in DEVICES {
        for (precision, tolerance) in tolerances {
            let Some(machine) = Emulated::new(processors, order) else { return };
            let mut cuda =
                Cuda::new(description, tensors, *precision, machine).unwrap().expect("a kernel for each step");
            for _ in 0..times {
                let worst = worst(&cuda.run(data, batch).unwrap(), &wanted);
                println!("{} {batch:?}, {processors} processors, {precision:?}: {worst:.1e}", description.name);
                assert!(worst <= *tolerance, "{worst} of the greatest, {processors} processors, {precision:?}");
            }
        }
    }
}

/// The greatest difference, as a share of the greatest value of an output.
fn worst(made: &[Output], wanted: &[Output]) -> f32 {
    assert_eq!(made.len(), wanted.len());
    let of = |(made, wanted): (&Output, &Output)| {
        assert_eq!(made.shape, wanted.shape);
        let greatest = wanted.data.iter().fold(1e-9f32, |most, v| most.max(v.abs()));
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
        Net::new(inputs, 1).conv("in", "out", (outputs, inputs, 1), (1, 0, 1)).agrees(&["out"], size);
    }
    Net::new(16, 2).conv("in", "out", (24, 16, 1), (2, 0, 1)).agrees(&["out"], (2, 7, 9));
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
        Net::new(inputs, 3).conv("in", "out", (outputs, inputs, kernel), (stride, pad, 1)).agrees(&["out"], size);
    }
}

#[test]
fn filters() {
    for (channels, kernel, stride, pad, size) in [
        (3, 3, 1, 1, (2, 7, 9)),
        (40, 3, 2, 1, (1, 12, 11)),
        (16, 3, 1, 1, (1, 1, 1)),
        (24, 3, 2, 0, (2, 9, 21)),
        (12, 7, 1, 0, (2, 7, 7)),
        (12, 5, 3, 2, (1, 11, 8)),
    ] {
        Net::new(channels, 5).conv("in", "out", (channels, 1, kernel), (stride, pad, channels)).agrees(&["out"], size);
    }
}

#[test]
fn colours_scaled_before_the_border_is_added() {
    let mut net = Net::new(3, 7);
    let (scale, shift) = (net.tensor(&[3]), net.tensor(&[1]));
    net.with(Step::Affine { input: "in".into(), output: "scaled".into(), scale, shift, activation: Activation::None })
        .conv("scaled", "out", (20, 3, 3), (2, 1, 1))
        .agrees(&["out"], (2, 9, 12));
    Net::new(1, 8).conv("in", "out", (8, 1, 5), (1, 2, 1)).agrees(&["out"], (1, 6, 7));
}

#[test]
fn halves_sums_and_scales() {
    let mut net = Net::new(12, 9);
    let (scale, shift) = (net.tensor(&[12]), net.tensor(&[12]));
    net.with(Step::Affine { input: "in".into(), output: "scaled".into(), scale, shift, activation: Activation::None })
        .with(Step::HalveByMax { input: "scaled".into(), output: "half".into() })
        .with(Step::AddDoubled { large: "scaled".into(), small: "half".into(), output: "out".into() })
        .agrees(&["out", "half"], (2, 6, 10));
    Net::new(5, 9).with(Step::HalveByMax { input: "in".into(), output: "out".into() }).agrees(&["out"], (2, 7, 9));
}

#[test]
fn heads_are_joined_and_leave_as_they_were() {
    let mut net = Net::new(20, 11);
    for (name, outputs) in [("a", 1), ("b", 4), ("c", 10)] {
        let mixed = format!("{name}-mixed");
        net = net.conv("in", &mixed, (outputs, 20, 1), (1, 0, 1)).conv(&mixed, name, (outputs, 1, 3), (1, 1, outputs));
    }
    net.with(Step::Sigmoid { input: "b".into(), output: "sure".into() }).agrees(&["c", "a", "sure"], (2, 5, 6));
}

#[test]
fn fully_connected() {
    for (channels, outputs, size) in [(5, 3, (3, 2, 3)), (40, 128, (2, 7, 7)), (8, 70, (33, 1, 1))] {
        let mut net = Net::new(channels, 13);
        let (weight, bias) = (net.tensor(&[outputs, channels * size.1 * size.2]), net.tensor(&[outputs]));
        let (input, output) = ("in".into(), "out".into());
        net.with(Step::Linear { input, output, weight, bias }).agrees(&["out"], size);
    }
}

#[test]
fn batches_of_many_sizes_share_their_room() {
    let Some(machine) = Emulated::new(4, Order::Forwards) else { return };
    let mut net = Net::new(3, 15).conv("in", "a", (16, 3, 3), (2, 1, 1)).conv("a", "out", (24, 16, 1), (1, 0, 1));
    net.description.outputs = vec!["out".into()];
    let mut cuda = Cuda::new(&net.description, &net.tensors, Precision::Full, machine).unwrap().unwrap();
    let stored = Stored { description: net.description, tensors: net.tensors };
    let plain = Plain::new(stored, &Device::Cpu).unwrap();
    for (pictures, height, width) in [(2, 8, 8), (1, 8, 8), (5, 8, 8), (2, 8, 8), (1, 20, 4), (5, 8, 8)] {
        let data = numbers(pictures * 3 * height * width, pictures as u64);
        let wanted = plain.forward(&data, pictures, height, width).unwrap();
        let made = cuda.run(&data, Batch { pictures, height, width }).unwrap();
        assert!(worst(&made, &wanted) < 1e-5);
    }
    assert!(cuda.run(&[0.0; 12], Batch { pictures: 1, height: 2, width: 3 }).is_err(), "fewer numbers than it says");
    assert!(cuda.run(&[], Batch { pictures: 0, height: 8, width: 8 }).is_err());
}

#[test]
fn what_no_kernel_does_is_left_to_the_other_executor() {
    let Some(machine) = Emulated::new(4, Order::Forwards) else { return };
    let mut net = Net::new(6, 1).conv("in", "out", (6, 2, 3), (1, 1, 3));
    net.description.outputs = vec!["out".into()];
    let placed = Cuda::new(&net.description, &net.tensors, Precision::Full, machine).unwrap();
    assert!(placed.is_none(), "three groups of two");
}

/// The installed networks, whole, where they are installed: `make test` sees to that.
#[test]
fn the_networks_themselves() {
    let folder = std::env::var_os("USHER_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/models"), Into::into);
    let lock = Lock::read(MODELS).unwrap();
    // Half precision rounds each of some thirty layers.
    let tolerances = [(Precision::Full, 1e-4), (Precision::Half, 3e-2)];
    for (name, pictures, height, width) in [("yunet", 2, 64, 96), ("sface", 1, 112, 112)] {
        let Ok(stored) = Stored::read(&folder, name, &lock.network(name).unwrap().sha256) else {
            println!("NOT RUN for {name}: its weights are not in {}", folder.display());
            continue;
        };
        let data: Vec<f32> = numbers(pictures * 3 * height * width, 17).iter().map(|v| 127.5 + 127.5 * v).collect();
        agrees(&stored, &data, Batch { pictures, height, width }, &tolerances, 1);
    }
}
