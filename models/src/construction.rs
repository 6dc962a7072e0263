//! Networks under construction, for the tests of every executor: layers with random weights.

use crate::{
    kernels::numbers,
    net::{Activation, Description, FORMAT, Step},
    weights::store::Stored,
};
use std::collections::HashMap;

/// A network under construction. Its input is called `in`.
pub(crate) struct Net {
    pub(crate) stored: Stored,
    pub(crate) seed: u64,
}

impl Net {
    pub(crate) fn new(channels: usize, seed: u64) -> Self {
        let description = Description {
            format: FORMAT,
            name: "test".into(),
            source_sha256: String::new(),
            imported: None,
            input: "in".into(),
            channels,
            outputs: Vec::new(),
            steps: Vec::new(),
        };
        Self { stored: Stored { description, tensors: HashMap::new() }, seed }
    }

    /// A new tensor of numbers of −1..=1; its name.
    pub(crate) fn tensor(&mut self, shape: &[usize]) -> String {
        let name = format!("t{}", self.stored.tensors.len());
        self.seed = self.seed.wrapping_add(1);
        let values = numbers(shape.iter().product(), self.seed);
        self.stored.tensors.insert(name.clone(), (shape.to_vec(), values));
        name
    }

    /// `(outputs, inputs, kernel)`, stride, padding.
    pub(crate) fn conv(
        mut self,
        from: &str,
        to: &str,
        shape: (usize, usize, usize),
        stride: usize,
        pad: usize,
    ) -> Self {
        let (outputs, inputs, kernel) = shape;
        self.any_conv(from, to, [outputs, inputs, kernel, kernel], (stride, pad, 1));
        self
    }

    /// The same, plus the value `residual` before the activation.
    pub(crate) fn plus(mut self, residual: &str) -> Self {
        let last = self.stored.description.steps.last_mut();
        if let Some(Step::Conv { residual: plus, .. }) = last {
            *plus = Some(residual.into());
        }
        self
    }

    /// Any, by the seed; one slope for all channels, or one for each.
    pub(crate) fn activation(&mut self, channels: usize) -> Activation {
        let slope = self.tensor(&[if self.seed.is_multiple_of(2) { 1 } else { channels }]);
        [Activation::None, Activation::Relu, Activation::Prelu(slope)][(self.seed % 3) as usize].clone()
    }

    /// 3×3, padded.
    pub(crate) fn depthwise(mut self, from: &str, to: &str, channels: usize, stride: usize) -> Self {
        self.any_conv(from, to, [channels, 1, 3, 3], (stride, 1, channels));
        self
    }

    /// Stride, padding and groups.
    pub(crate) fn any_conv(
        &mut self,
        from: &str,
        to: &str,
        shape: [usize; 4],
        (stride, pad, groups): (usize, usize, usize),
    ) {
        let (weight, bias, activation) = (self.tensor(&shape), self.tensor(&shape[..1]), self.activation(shape[0]));
        let (input, output) = (from.into(), to.into());
        self.step(Step::Conv { input, output, weight, bias, stride, pad, groups, residual: None, activation });
    }

    /// By channel, or one number for all; with an activation or without.
    pub(crate) fn affine(mut self, from: &str, to: &str, channels: usize, bends: bool) -> Self {
        let (is_one_scale, is_one_shift) = (self.seed.is_multiple_of(3), self.seed.is_multiple_of(2));
        let scale = self.tensor(&[if is_one_scale { 1 } else { channels }]);
        let shift = self.tensor(&[if is_one_shift { 1 } else { channels }]);
        let activation = if bends { self.activation(channels) } else { Activation::None };
        self.with(Step::Affine { input: from.into(), output: to.into(), scale, shift, activation })
    }

    /// Of `inputs` numbers `outputs`, all of which half precision holds exactly, so that comparisons may be as sharp as
    /// elsewhere.
    pub(crate) fn linear(mut self, from: &str, to: &str, outputs: usize, inputs: usize) -> Self {
        let (weight, bias) = (self.tensor(&[outputs, inputs]), self.tensor(&[outputs]));
        if let Some((_, values)) = self.stored.tensors.get_mut(&weight) {
            values.iter_mut().for_each(|v| *v = (*v * 256.0).round() / 256.0);
        }
        self.with(Step::Linear { input: from.into(), output: to.into(), weight, bias })
    }

    /// Mean, two layers, sigmoid: `to` is `from` times that, plus another value perhaps.
    pub(crate) fn excited(self, from: &str, to: &str, (channels, inside): (usize, usize), plus: Option<&str>) -> Self {
        let [mean, less, more, gate] = ["mean", "less", "more", "gate"].map(|name| format!("{to}-{name}"));
        let (input, by, plus, output) = (from.into(), gate.clone(), plus.map(Into::into), to.into());
        self.with(Step::GlobalMean { input: from.into(), output: mean.clone() })
            .conv(&mean, &less, (inside, channels, 1), 1, 0)
            .conv(&less, &more, (channels, inside, 1), 1, 0)
            .with(Step::Sigmoid { input: more, output: gate })
            .with(Step::ScaleBy { input, by, plus, output })
    }

    /// 1×1 convolutions of three channels, of `parts` outputs, joined as `joined` and mixed to five as `out`: what fills
    /// channels up must not be seen by who reads it.
    pub(crate) fn joined(parts: &[usize], seed: u64) -> Self {
        let mut net = Self::new(3, seed);
        let inputs: Vec<String> = (0..parts.len()).map(|index| format!("part {index}")).collect();
        for (input, outputs) in inputs.iter().zip(parts) {
            net = net.conv("in", input, (*outputs, 3, 1), 1, 0);
        }
        net.with(Step::Concat { inputs, output: "joined".into() }).conv(
            "joined",
            "out",
            (5, parts.iter().sum(), 1),
            1,
            0,
        )
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.stored.description.steps.push(step);
    }

    pub(crate) fn with(mut self, step: Step) -> Self {
        self.step(step);
        self
    }

    /// The same with these outputs.
    pub(crate) fn leaving(mut self, outputs: &[&str]) -> Self {
        self.stored.description.outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Numbers for so many pictures of this size.
    pub(crate) fn pictures(&self, (pictures, height, width): (usize, usize, usize)) -> Vec<f32> {
        numbers(pictures * self.stored.description.channels * height * width, self.seed ^ 77)
    }
}
