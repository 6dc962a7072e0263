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
    Affine { scale: Tensor, shift: Tensor },
    Linear { weight: Tensor, bias: Tensor },
    Sigmoid,
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
            let of = |index: usize| {
                values[layer.inputs[index]].as_ref().ok_or_else(|| bug("a value was let go too early".to_owned()))
            };
            let made = match &layer.kernel {
                Kernel::Conv { weight, bias, slope, stride, pad, groups } => {
                    let made = of(0)?.conv2d(weight, *pad, *stride, 1, *groups)?.broadcast_add(bias)?;
                    match slope {
                        None => made,
                        Some(slope) => (made.relu()? - made.neg()?.relu()?.broadcast_mul(slope)?)?,
                    }
                }
                Kernel::HalveByMax => of(0)?.max_pool2d(2)?,
                Kernel::AddDoubled => {
                    let (_, _, h, w) = of(0)?.dims4()?;
                    (of(0)? + of(1)?.upsample_nearest2d(h, w)?)?
                }
                Kernel::Affine { scale, shift } => of(0)?.broadcast_mul(scale)?.broadcast_add(shift)?,
                Kernel::Linear { weight, bias } => of(0)?.flatten_from(1)?.matmul(&weight.t()?)?.broadcast_add(bias)?,
                Kernel::Sigmoid => candle_nn::ops::sigmoid(of(0)?)?,
            };
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

/// A step with its weights, placed.
fn kernel(
    step: &Step,
    tensors: &mut HashMap<String, (Vec<usize>, Vec<f32>)>,
    device: &Device,
) -> Result<Kernel, ModelError> {
    let mut take = |name: &str| tensors.remove(name).ok_or_else(|| bug(format!("there is no tensor {name}")));
    Ok(match step {
        Step::Conv { weight, bias, stride, pad, groups, activation, .. } => {
            let (shape, weight) = take(weight)?;
            let [outputs, _, kernel, kernel_across] = shape[..] else {
                return Err(bug(format!("a convolution of shape {shape:?}")));
            };
            let bias = take(bias)?.1;
            let slope = match activation {
                Activation::None => vec![1.0; outputs],
                Activation::Relu => vec![0.0; outputs],
                Activation::Prelu(name) => take(name)?.1,
            };
            if kernel != kernel_across
                || bias.len() != outputs
                || slope.len() != outputs
                || *stride == 0
                || *groups == 0
            {
                return Err(bug(format!("a convolution of shape {shape:?} with {} biases", bias.len())));
            }
            let wide = (1, outputs, 1, 1);
            let slope = match activation {
                Activation::None => None,
                _ => Some(Tensor::from_vec(slope, wide, device)?),
            };
            Kernel::Conv {
                weight: Tensor::from_vec(weight, shape, device)?,
                bias: Tensor::from_vec(bias, wide, device)?,
                slope,
                stride: *stride,
                pad: *pad,
                groups: *groups,
            }
        }
        Step::HalveByMax { .. } => Kernel::HalveByMax,
        Step::AddDoubled { .. } => Kernel::AddDoubled,
        Step::Affine { scale, shift, .. } => {
            let mut wide = |name: &str| -> Result<Tensor, ModelError> {
                let values = take(name)?.1;
                Ok(Tensor::from_vec(values.clone(), (1, values.len(), 1, 1), device)?)
            };
            Kernel::Affine { scale: wide(scale)?, shift: wide(shift)? }
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
    })
}

fn bug(why: String) -> ModelError {
    ModelError::Compute(why)
}
