//! IResNet of ArcFace as integrators import it, with random weights.
//!
//! How long it takes does not depend on what the weights are; ours has none of its own to install.

use std::collections::HashMap;
use usher_models::{
    net::{Activation, Description, FORMAT, Step},
    weights::store::Stored,
};

/// Blocks of the four stages of IResNet-50.
const BLOCKS: [usize; 4] = [3, 4, 14, 3];
/// Channels of the first stage; each other has twice those of the one before.
const CHANNELS: usize = 64;
/// Pixels that are left of 112 × 112, and numbers of a template.
const LEFT: usize = 7 * 7;
const LENGTH: usize = 512;

/// IResNet-50, norms folded where an importer can fold them.
pub(crate) fn iresnet50() -> Stored {
    let mut writer = Writer { steps: Vec::new(), tensors: HashMap::new(), state: 1 };
    let mut channels = CHANNELS;
    let mut x = writer.conv("input", (channels, 3, 3), 1, None, true);
    for (stage, blocks) in BLOCKS.into_iter().enumerate() {
        for block in 0..blocks {
            let (outputs, stride) = (CHANNELS << stage, if block == 0 { 2 } else { 1 });
            let shortcut =
                if block == 0 { writer.conv(&x, (outputs, channels, 1), stride, None, false) } else { x.clone() };
            let normed = writer.norm(&x, channels);
            let y = writer.conv(&normed, (outputs, channels, 3), 1, None, true);
            x = writer.conv(&y, (outputs, outputs, 3), stride, Some(shortcut), false);
            channels = outputs;
        }
    }
    let input = writer.norm(&x, channels);
    let (weight, bias) = (writer.tensor(&[LENGTH, channels * LEFT], 0.01), writer.tensor(&[LENGTH], 0.1));
    writer.steps.push(Step::Linear { input, output: "template".into(), weight, bias });
    let description = Description {
        format: FORMAT,
        name: "iresnet50".into(),
        source_sha256: String::new(),
        imported: None,
        input: "input".into(),
        channels: 3,
        outputs: vec!["template".into()],
        steps: writer.steps,
    };
    Stored { description, tensors: writer.tensors }
}

struct Writer {
    steps: Vec<Step>,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
    state: u64,
}

impl Writer {
    fn conv(
        &mut self,
        input: &str,
        (outputs, inputs, kernel): (usize, usize, usize),
        stride: usize,
        residual: Option<String>,
        is_bent: bool,
    ) -> String {
        // So large that values neither grow nor vanish from layer to layer.
        let size = (3.0 / (inputs * kernel * kernel) as f32).sqrt();
        let (weight, bias) = (self.tensor(&[outputs, inputs, kernel, kernel], size), self.tensor(&[outputs], 0.2));
        let activation = if is_bent { Activation::Prelu(self.tensor(&[outputs], 0.4)) } else { Activation::None };
        let (input, output) = (input.to_owned(), self.name());
        let step = Step::Conv { input, output, weight, bias, stride, pad: kernel / 2, groups: 1, residual, activation };
        self.push(step)
    }

    fn norm(&mut self, input: &str, channels: usize) -> String {
        let (scale, shift) = (self.tensor(&[channels], 1.0), self.tensor(&[channels], 0.2));
        let (input, output) = (input.to_owned(), self.name());
        self.push(Step::Affine { input, output, scale, shift, activation: Activation::None })
    }

    fn name(&self) -> String {
        format!("v{}", self.steps.len())
    }

    fn push(&mut self, step: Step) -> String {
        let name = self.name();
        self.steps.push(step);
        name
    }

    /// Numbers of −`size` to `size`: Knuth's linear congruential generator (MMIX), the same on every machine.
    fn tensor(&mut self, shape: &[usize], size: f32) -> String {
        let name = format!("t{}", self.tensors.len());
        let numbers = (0..shape.iter().product()).map(|_| {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.state >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * size
        });
        let numbers = numbers.collect();
        self.tensors.insert(name.clone(), (shape.to_vec(), numbers));
        name
    }
}
