//! A network as an operator of a candle graph.
//!
//! usher itself calls [`Network::forward`] with slices; this is for programs that have tensors. It is the same call.

use crate::forward::{Network, Output};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use std::{
    cell::RefCell,
    sync::{Mutex, PoisonError},
};

/// A network that takes and makes tensors of the CPU.
///
/// As a [`CustomOp1`] it makes of `(B, C, H, W)` f32 the rows `(B, N)` f32: for each picture the numbers of the first
/// output, then those of the second, and so on. A network of one row, as an embedder is, needs no more;
/// [`Operator::outputs`] tells several outputs apart. The input must be contiguous. There is no backward pass.
///
/// One network computes one batch at a time: threads that share an operator wait for one another.
pub struct Operator(Mutex<Network>);

impl Operator {
    /// The operator of a network.
    pub fn new(network: Network) -> Self {
        Self(Mutex::new(network))
    }

    /// The outputs for a batch, each with its own shape, the batch first.
    ///
    /// # Errors
    /// When the input is not a contiguous `(B, C, H, W)` of f32 on the CPU, or the network refuses it.
    pub fn outputs(&self, input: &Tensor) -> Result<Vec<Tensor>> {
        let call = Call { network: &self.0, shapes: RefCell::default() };
        let rows = input.apply_op1_no_bwd(&call)?;
        let mut first = 0;
        let output = |shape: Vec<usize>| {
            let width = shape[1..].iter().product();
            let output = rows.narrow(1, first, width)?.reshape(shape);
            first += width;
            output
        };
        call.shapes.take().into_iter().map(output).collect()
    }
}

impl CustomOp1 for Operator {
    fn name(&self) -> &'static str {
        "usher-network"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Call { network: &self.0, shapes: RefCell::default() }.cpu_fwd(storage, layout)
    }
}

/// One run, which says what shapes its outputs have: they depend on the size of the pictures.
struct Call<'a> {
    network: &'a Mutex<Network>,
    shapes: RefCell<Vec<Vec<usize>>>,
}

impl CustomOp1 for Call<'_> {
    fn name(&self) -> &'static str {
        "usher-network"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (pictures, _, height, width) = layout.shape().dims4()?;
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("a network takes contiguous tensors only") };
        let data = &storage.as_slice::<f32>()?[from..to];
        // A run that panicked leaves nothing that the next one reads.
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = network.forward(data, pictures, height, width).map_err(candle_core::Error::wrap)?;
        let row = |output: &Output| output.data.len() / pictures.max(1);
        let mut rows = Vec::with_capacity(outputs.iter().map(|output| output.data.len()).sum());
        for picture in 0..pictures {
            for output in &outputs {
                rows.extend_from_slice(&output.data[picture * row(output)..][..row(output)]);
            }
        }
        let shape = Shape::from((pictures, outputs.iter().map(row).sum::<usize>()));
        self.shapes.replace(outputs.into_iter().map(|output| output.shape).collect());
        Ok((CpuStorage::F32(rows), shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compute::{Choice, Compute},
        construction::Net,
        net::Step,
    };
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    /// Maps of two sizes, one of them through a sigmoid.
    fn network(channels: usize, seed: u64) -> (Net, Network) {
        let net = Net::new(channels, seed)
            .conv("in", "x", (5, channels, 3), 1, 1)
            .conv("x", "y", (9, 5, 1), 2, 0)
            .with(Step::Sigmoid { input: "y".into(), output: "sure".into() })
            .leaving(&["sure", "x"]);
        let network = Network::new(net.stored.clone(), &Compute::open(Choice::Cpu).unwrap()).unwrap();
        (net, network)
    }

    proptest! {
        #[test]
        fn it_is_the_direct_call(
            channels in 1usize..5, size in (1usize..4, 1usize..8, 1usize..8), seed in any::<u64>()
        ) {
            let (net, mut network) = network(channels, seed);
            let (pictures, height, width) = size;
            let data = net.pictures(size);
            let direct = network.forward(&data, pictures, height, width).unwrap();
            let operator = Operator::new(network);
            // Of a larger batch: what stands before is not read.
            let shape = (2 * pictures, channels, height, width);
            let input = Tensor::from_vec([data.clone(), data].concat(), shape, &Device::Cpu).unwrap();
            let input = input.narrow(0, pictures, pictures).unwrap();
            let outputs = operator.outputs(&input).unwrap();
            prop_assert_eq!(outputs.len(), direct.len());
            for (output, direct) in outputs.iter().zip(&direct) {
                prop_assert_eq!(output.dims(), &direct.shape[..]);
                prop_assert_eq!(&output.flatten_all().unwrap().to_vec1::<f32>().unwrap(), &direct.data);
            }
            let flat: Vec<Tensor> = outputs.iter().map(|output| output.flatten_from(1).unwrap()).collect();
            let rows = (input + 0.0).unwrap().apply_op1(operator).unwrap();
            let wanted = Tensor::cat(&flat, 1).unwrap();
            prop_assert_eq!(rows.to_vec2::<f32>().unwrap(), wanted.to_vec2::<f32>().unwrap());
        }
    }

    #[test]
    fn what_it_does_not_take_is_an_error() {
        let operator = Operator::new(network(3, 1).1);
        let zeros = |shape: &[usize], kind| Tensor::zeros(shape, kind, &Device::Cpu).unwrap();
        assert!(operator.outputs(&zeros(&[1, 3, 8, 8], DType::F32)).is_ok());
        assert!(operator.outputs(&zeros(&[1, 3, 8, 8], DType::F64)).is_err(), "other numbers");
        assert!(operator.outputs(&zeros(&[3, 8, 8], DType::F32)).is_err(), "no batch");
        assert!(operator.outputs(&zeros(&[1, 2, 8, 8], DType::F32)).is_err(), "other channels");
        let turned = zeros(&[1, 3, 8, 4], DType::F32).transpose(2, 3).unwrap();
        let error = operator.outputs(&turned).unwrap_err().to_string();
        assert!(error.contains("contiguous"), "{error}");
    }
}
