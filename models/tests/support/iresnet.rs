//! An embedder as a site with a GPU brings one: IResNet of ArcFace, small, as an exporter writes it, with random weights.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _};
use usher_models::weights::onnx::{Attribute, Graph, Model, Node, Tensor, ValueInfo};

/// Side of the pictures it takes.
pub(crate) const SIDE: usize = 32;
/// Channels of its four stages; none but the first a multiple of sixteen.
const STAGES: [usize; 4] = [16, 20, 24, 36];
/// Numbers of its template.
const LENGTH: usize = 40;

/// The bytes of its ONNX file. `folded`: without the norms that an exporter folds itself.
pub(crate) fn onnx(folded: bool) -> Vec<u8> {
    let mut writer = Writer { graph: Graph::default(), random: rand_chacha::ChaCha8Rng::seed_from_u64(5), folded };
    let mut x = writer.conv("input", (STAGES[0], 3, 3), (1, 1));
    x = writer.prelu(&x, STAGES[0]);
    let mut channels = STAGES[0];
    for stage in STAGES {
        x = writer.block(&x, channels, stage, 2);
        x = writer.block(&x, stage, stage, 1);
        channels = stage;
    }
    x = writer.norm(&x, channels);
    x = writer.node("Flatten", &[&x], vec![int("axis", 1)]);
    let pixels = (SIDE >> STAGES.len()).pow(2);
    let (weight, bias) = (writer.tensor(&[LENGTH, channels * pixels], 0.2), writer.tensor(&[LENGTH], 0.2));
    x = writer.node("Gemm", &[&x, &weight, &bias], vec![int("transB", 1)]);
    x = writer.norm(&x, LENGTH);
    let value = |name: &str| ValueInfo { name: name.to_owned() };
    writer.graph.input = vec![value("input")];
    writer.graph.output = vec![value(&x)];
    Model { graph: Some(writer.graph) }.encode_to_vec()
}

struct Writer {
    graph: Graph,
    random: rand_chacha::ChaCha8Rng,
    folded: bool,
}

impl Writer {
    /// Norm, 3×3, PReLU, 3×3 of `stride`, and what came in, made as small: the block of IResNet.
    fn block(&mut self, x: &str, inputs: usize, outputs: usize, stride: i64) -> String {
        let mut y = self.norm(x, inputs);
        y = self.conv(&y, (outputs, inputs, 3), (1, 1));
        y = self.prelu(&y, outputs);
        y = self.conv(&y, (outputs, outputs, 3), (stride, 1));
        let shortcut = if stride == 1 { x.to_owned() } else { self.conv(x, (outputs, inputs, 1), (stride, 0)) };
        self.node("Add", &[&y, &shortcut], vec![])
    }

    fn conv(&mut self, x: &str, (outputs, inputs, kernel): (usize, usize, usize), (stride, pad): (i64, i64)) -> String {
        let size = (3.0 / (inputs * kernel * kernel) as f32).sqrt();
        let (weight, bias) = (self.tensor(&[outputs, inputs, kernel, kernel], size), self.tensor(&[outputs], 0.2));
        let settings = vec![ints("strides", &[stride; 2]), ints("pads", &[pad; 4]), int("group", 1)];
        let y = self.node("Conv", &[x, &weight, &bias], settings);
        if self.folded { y } else { self.norm(&y, outputs) }
    }

    fn norm(&mut self, x: &str, channels: usize) -> String {
        let [scale, shift, mean, variance] = [1.0, 0.2, 0.2, 1.0].map(|size| self.tensor(&[channels], size));
        for name in [&scale, &variance] {
            let tensor = self.graph.initializer.iter_mut().find(|tensor| tensor.name == *name).unwrap();
            tensor.float_data.iter_mut().for_each(|v| *v = v.abs() + 0.5);
        }
        let epsilon = Attribute { name: "epsilon".into(), f: 1e-5, ..Attribute::default() };
        self.node("BatchNormalization", &[x, &scale, &shift, &mean, &variance], vec![epsilon])
    }

    fn prelu(&mut self, x: &str, channels: usize) -> String {
        let slope = self.tensor(&[channels, 1, 1], 0.4);
        self.node("PRelu", &[x, &slope], vec![])
    }

    fn tensor(&mut self, shape: &[usize], size: f32) -> String {
        let name = format!("t{}", self.graph.initializer.len());
        let float_data = (0..shape.iter().product()).map(|_| self.random.random_range(-size..size)).collect();
        let dims = shape.iter().map(|dim| *dim as i64).collect();
        self.graph.initializer.push(Tensor { name: name.clone(), dims, data_type: 1, float_data, ..Tensor::default() });
        name
    }

    fn node(&mut self, op: &str, input: &[&str], attribute: Vec<Attribute>) -> String {
        let name = format!("v{}", self.graph.node.len());
        let input = input.iter().map(|name| (*name).to_owned()).collect();
        self.graph.node.push(Node { input, output: vec![name.clone()], op_type: op.into(), attribute });
        name
    }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.into(), i, ..Attribute::default() }
}

fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute { name: name.into(), ints: ints.to_vec(), ..Attribute::default() }
}
