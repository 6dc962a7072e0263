//! The other executor: stock candle operators, on any device.
//!
//! The reference that the layers of [`crate::plan`] and of `cuda` are held to, and what a step without a kernel falls
//! back to.

use crate::{
    error::ModelError,
    forward::Output,
    net::{Activation, Description, Step},
    weights::store::Stored,
};
use candle_core::{Device, Tensor};
use std::collections::HashMap;

/// A network as stock operators on a device.
pub(crate) struct Plain {
    device: Device,
    channels: usize,
    layers: Vec<Layer>,
    /// Slot of the input and of each output.
    input: usize,
    outputs: Vec<usize>,
    slots: usize,
}

struct Layer {
    kernel: Kernel,
    inputs: Vec<usize>,
    output: usize,
    /// Slots that nobody reads after this layer.
    done: Vec<usize>,
}

enum Kernel {
    Conv { weight: Tensor, bias: Tensor, slope: Option<Tensor>, stride: usize, pad: usize, groups: usize },
    HalveByMax,
    AddDoubled,
    Add { slope: Option<Tensor> },
    Concat,
    GlobalMean,
    ScaleBy,
    Affine { scale: Tensor, shift: Tensor, slope: Option<Tensor> },
    Linear { weight: Tensor, bias: Tensor },
    Sigmoid,
    Softmax { classes: usize },
}

impl Plain {
    /// Places a network on a device.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the description names a value or tensor that is not there, or one of another shape.
    pub(crate) fn new(stored: Stored, device: &Device) -> Result<Self, ModelError> {
        let Stored { description, mut tensors } = stored;
        let mut names = HashMap::from([(description.input.clone(), 0usize)]);
        let last_reader = last_readers(&description);
        let mut layers = Vec::new();
        for (index, step) in description.steps.iter().enumerate() {
            let inputs: Vec<usize> = step
                .inputs()
                .into_iter()
                .map(|name| names.get(name).copied().ok_or_else(|| bug(format!("nothing makes the value {name}"))))
                .collect::<Result<_, _>>()?;
            let kernel = kernel(step, &mut tensors, device)?;
            let output = names.len();
            if names.insert(step.output().to_owned(), output).is_some() {
                return Err(bug(format!("two steps make the value {}", step.output())));
            }
            let mut done: Vec<usize> = step
                .inputs()
                .into_iter()
                .filter(|name| last_reader.get(*name) == Some(&index))
                .filter_map(|name| names.get(name).copied())
                .collect();
            done.sort_unstable();
            done.dedup();
            layers.push(Layer { kernel, inputs, output, done });
        }
        let outputs = description
            .outputs
            .iter()
            .map(|name| names.get(name).copied().ok_or_else(|| bug(format!("nothing makes the output {name}"))))
            .collect::<Result<_, _>>()?;
        let slots = names.len();
        Ok(Self { device: device.clone(), channels: description.channels, layers, input: 0, outputs, slots })
    }

    /// The outputs for a batch: `data` is `(batch, channels, height, width)`.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when lengths do not fit, or the device fails.
    pub(crate) fn forward(
        &self,
        data: &[f32],
        batch: usize,
        height: usize,
        width: usize,
    ) -> Result<Vec<Output>, ModelError> {
        let input = Tensor::from_slice(data, (batch, self.channels, height, width), &self.device)?;
        let mut values: Vec<Option<Tensor>> = vec![None; self.slots];
        values[self.input] = Some(input);
        for layer in &self.layers {
            let inputs: Vec<&Tensor> = layer
                .inputs
                .iter()
                .map(|slot| values[*slot].as_ref().ok_or_else(|| bug("a value was let go too early".to_owned())))
                .collect::<Result<_, _>>()?;
            let made = layer.kernel.made(&inputs)?;
            for slot in &layer.done {
                values[*slot] = None;
            }
            values[layer.output] = Some(made);
        }
        self.outputs
            .iter()
            .map(|slot| {
                let value = values[*slot].as_ref().ok_or_else(|| bug("an output was let go".to_owned()))?;
                Ok(Output { shape: value.dims().to_vec(), data: value.flatten_all()?.to_vec1()? })
            })
            .collect()
    }
}

impl Kernel {
    /// What it makes of its inputs, of which there are as many as the step names.
    fn made(&self, inputs: &[&Tensor]) -> Result<Tensor, ModelError> {
        Ok(match (self, inputs) {
            (Self::Conv { weight, bias, slope, stride, pad, groups }, [x, residual @ ..]) => {
                let mut made = x.conv2d(weight, *pad, *stride, 1, *groups)?.broadcast_add(bias)?;
                for residual in residual {
                    made = (made + *residual)?;
                }
                bent(made, slope.as_ref())?
            }
            (Self::HalveByMax, [x]) => x.max_pool2d(2)?,
            (Self::AddDoubled, [large, small]) => {
                let (_, _, h, w) = large.dims4()?;
                (*large + small.upsample_nearest2d(h, w)?)?
            }
            (Self::Add { slope }, [a, b]) => bent((*a + *b)?, slope.as_ref())?,
            (Self::Concat, inputs) => Tensor::cat(inputs, 1)?,
            (Self::GlobalMean, [x]) => x.mean_keepdim((2, 3))?,
            (Self::ScaleBy, [x, by, plus @ ..]) => {
                let mut made = x.broadcast_mul(by)?;
                for plus in plus {
                    made = (made + *plus)?;
                }
                made
            }
            (Self::Affine { scale, shift, slope }, [x]) => {
                bent(x.broadcast_mul(scale)?.broadcast_add(shift)?, slope.as_ref())?
            }
            (Self::Linear { weight, bias }, [x]) => x.flatten_from(1)?.matmul(&weight.t()?)?.broadcast_add(bias)?,
            (Self::Sigmoid, [x]) => candle_nn::ops::sigmoid(x)?,
            (Self::Softmax { classes }, [x]) => {
                let (batch, channels, h, w) = x.dims4()?;
                let runs = x.reshape((batch, channels / classes, *classes, h, w))?;
                candle_nn::ops::softmax(&runs, 2)?.reshape((batch, channels, h, w))?
            }
            (_, inputs) => return Err(bug(format!("a step of {} values", inputs.len()))),
        })
    }
}

fn bent(x: Tensor, slope: Option<&Tensor>) -> Result<Tensor, ModelError> {
    Ok(match slope {
        None => x,
        Some(slope) => (x.relu()? - x.neg()?.relu()?.broadcast_mul(slope)?)?,
    })
}

/// For each value that may be let go: the last step that reads it.
fn last_readers(description: &Description) -> HashMap<&str, usize> {
    let mut last = HashMap::new();
    for (index, step) in description.steps.iter().enumerate() {
        for name in step.inputs() {
            last.insert(name, index);
        }
    }
    for output in &description.outputs {
        last.remove(output.as_str());
    }
    last
}

/// Takes a tensor by its name: shape and values.
type Take<'a> = dyn FnMut(&str) -> Result<(Vec<usize>, Vec<f32>), ModelError> + 'a;

/// A step with its weights, placed.
fn kernel(
    step: &Step,
    tensors: &mut HashMap<String, (Vec<usize>, Vec<f32>)>,
    device: &Device,
) -> Result<Kernel, ModelError> {
    let mut take = |name: &str| tensors.remove(name).ok_or_else(|| bug(format!("there is no tensor {name}")));
    // By channel; one number is for all.
    let wide = |values: Vec<f32>| {
        let length = values.len();
        Tensor::from_vec(values, (1, length, 1, 1), device)
    };
    let slope = |take: &mut Take<'_>, activation: &Activation| {
        Ok::<_, ModelError>(match activation {
            Activation::None => None,
            Activation::Relu => Some(wide(vec![0.0])?),
            Activation::Prelu(name) => Some(wide(take(name)?.1)?),
        })
    };
    Ok(match step {
        Step::Conv { weight, bias, stride, pad, groups, activation, .. } => {
            let (shape, weight) = take(weight)?;
            let [outputs, _, kernel, kernel_across] = shape[..] else {
                return Err(bug(format!("a convolution of shape {shape:?}")));
            };
            let bias = take(bias)?.1;
            if kernel != kernel_across || bias.len() != outputs || *stride == 0 || *groups == 0 {
                return Err(bug(format!("a convolution of shape {shape:?} with {} biases", bias.len())));
            }
            Kernel::Conv {
                weight: Tensor::from_vec(weight, shape, device)?,
                bias: wide(bias)?,
                slope: slope(&mut take, activation)?,
                stride: *stride,
                pad: *pad,
                groups: *groups,
            }
        }
        Step::HalveByMax { .. } => Kernel::HalveByMax,
        Step::AddDoubled { .. } => Kernel::AddDoubled,
        Step::Add { activation, .. } => Kernel::Add { slope: slope(&mut take, activation)? },
        Step::Concat { .. } => Kernel::Concat,
        Step::GlobalMean { .. } => Kernel::GlobalMean,
        Step::ScaleBy { .. } => Kernel::ScaleBy,
        Step::Affine { scale, shift, activation, .. } => {
            let (scale, shift) = (wide(take(scale)?.1)?, wide(take(shift)?.1)?);
            Kernel::Affine { scale, shift, slope: slope(&mut take, activation)? }
        }
        Step::Linear { weight, bias, .. } => {
            let ((shape, weight), bias) = (take(weight)?, take(bias)?.1);
            let outputs = bias.len();
            Kernel::Linear {
                weight: Tensor::from_vec(weight, shape, device)?,
                bias: Tensor::from_vec(bias, (1, outputs), device)?,
            }
        }
        Step::Sigmoid { .. } => Kernel::Sigmoid,
        Step::Softmax { classes, .. } if *classes > 0 => Kernel::Softmax { classes: *classes },
        Step::Softmax { .. } => return Err(bug("a softmax of no classes".to_owned())),
    })
}

fn bug(why: String) -> ModelError {
    ModelError::Compute(why)
}
