//! Files as a site brings them.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(dead_code, reason = "each test file uses its part")]

use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _};
use std::io::{Cursor, Write as _};
use usher_models::weights::onnx::{Attribute, Graph, Model, Node, Tensor, ValueInfo};

/// A tensor by name.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// A state dict with random numbers that a network of thirty layers can bear.
pub(crate) struct States {
    pub(crate) all: Vec<State>,
    random: rand_chacha::ChaCha8Rng,
}

impl States {
    pub(crate) fn new(seed: u64) -> Self {
        Self { all: Vec::new(), random: rand_chacha::ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Numbers around `middle`, at most `reach` from it.
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], (middle, reach): (f32, f32)) {
        let count = shape.iter().product();
        let data = (0..count).map(|_| middle + self.random.random_range(-reach..reach)).collect();
        self.all.push(State { name: name.into(), shape: shape.to_vec(), data });
    }

    fn conv(&mut self, name: &str, shape: [usize; 4]) {
        let reach = (3.0 / shape[1..].iter().product::<usize>() as f32).sqrt();
        self.tensor(&format!("{name}.weight"), &shape, (0.0, reach));
    }

    fn norm(&mut self, name: &str, channels: usize, gain: f32) {
        let around = [
            ("weight", (gain, 0.1 * gain)),
            ("bias", (0.0, 0.1)),
            ("running_mean", (0.0, 0.1)),
            ("running_var", (1.0, 0.2)),
        ];
        for (what, range) in around {
            self.tensor(&format!("{name}.{what}"), &[channels], range);
        }
        self.all.push(State { name: format!("{name}.num_batches_tracked"), shape: vec![], data: vec![7.0] });
    }

    /// IResNet of so many blocks a stage, as `arcface_torch` names its tensors.
    pub(crate) fn iresnet(blocks: [usize; 4]) -> Self {
        let mut states = Self::new(11);
        states.conv("conv1", [64, 3, 3, 3]);
        states.norm("bn1", 64, 1.0);
        states.tensor("prelu.weight", &[64], (0.2, 0.1));
        let mut inputs = 64;
        for (stage, blocks) in blocks.into_iter().enumerate() {
            let outputs = 64 << stage;
            for block in 0..blocks {
                let name = format!("layer{}.{block}", stage + 1);
                states.norm(&format!("{name}.bn1"), inputs, 1.0);
                states.conv(&format!("{name}.conv1"), [outputs, inputs, 3, 3]);
                states.norm(&format!("{name}.bn2"), outputs, 1.0);
                states.tensor(&format!("{name}.prelu.weight"), &[outputs], (0.2, 0.1));
                states.conv(&format!("{name}.conv2"), [outputs, outputs, 3, 3]);
                states.norm(&format!("{name}.bn3"), outputs, 0.3);
                if block == 0 {
                    states.conv(&format!("{name}.downsample.0"), [outputs, inputs, 1, 1]);
                    states.norm(&format!("{name}.downsample.1"), outputs, 1.0);
                }
                inputs = outputs;
            }
        }
        states.norm("bn2", 512, 1.0);
        states.tensor("fc.weight", &[512, 512 * 49], (0.0, 0.01));
        states.tensor("fc.bias", &[512], (0.0, 0.1));
        states.norm("features", 512, 1.0);
        states
    }
}

/// The file that `torch.save` writes of a state dict today.
pub(crate) fn pth(states: &[State]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut put = |name: &str, content: &[u8]| {
        zip.start_file(format!("archive/{name}"), stored).unwrap();
        zip.write_all(content).unwrap();
    };
    put("data.pkl", &pickle(states));
    put("byteorder", b"little");
    for (key, state) in states.iter().enumerate() {
        put(&format!("data/{key}"), &numbers(state));
    }
    zip.finish().unwrap().into_inner()
}

/// The file that it wrote before version 1.6.
pub(crate) fn old_pth(states: &[State]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(pickle(states));
    file.extend(b"\x80\x02](");
    for key in 0..states.len() {
        text(&mut file, &key.to_string());
    }
    file.extend(b"e.");
    for state in states {
        file.extend((state.data.len() as i64).to_le_bytes());
        file.extend(numbers(state));
    }
    file
}

fn numbers(state: &State) -> Vec<u8> {
    if is_counter(state) {
        return state.data.iter().flat_map(|v| (*v as i64).to_le_bytes()).collect();
    }
    state.data.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn is_counter(state: &State) -> bool {
    state.name.ends_with("num_batches_tracked")
}

/// Protocol 2, as Python writes it.
fn pickle(states: &[State]) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(".to_vec();
    for (key, state) in states.iter().enumerate() {
        text(&mut out, &state.name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(if is_counter(state) { &b"ctorch\nLongStorage\n"[..] } else { b"ctorch\nFloatStorage\n" });
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        whole(&mut out, state.data.len());
        out.extend(b"tQK\x00(");
        state.shape.iter().for_each(|side| whole(&mut out, *side));
        out.extend(b"t(");
        (0..state.shape.len()).for_each(|axis| whole(&mut out, state.shape[axis + 1..].iter().product()));
        out.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u}");
    text(&mut out, "_metadata");
    out.extend(b"Nsb.");
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn whole(out: &mut Vec<u8>, number: usize) {
    out.push(b'J');
    out.extend((number as i32).to_le_bytes());
}

/// A graph while it is written, one operator after the other.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Graph);

impl Writer {
    /// An operator; what it makes.
    pub(crate) fn node(&mut self, op: &str, input: &[&str], attribute: Vec<Attribute>) -> String {
        let name = format!("v{}", self.0.node.len());
        let input = input.iter().map(|name| (*name).to_owned()).collect();
        self.0.node.push(Node { input, output: vec![name.clone()], op_type: op.into(), attribute });
        name
    }

    /// A convolution over the tensor `weight`.
    pub(crate) fn conv(&mut self, x: &str, weight: &str, stride: i64, pad: i64) -> String {
        self.node("Conv", &[x, weight], vec![ints("strides", &[stride; 2]), ints("pads", &[pad; 4])])
    }

    pub(crate) fn constants(&mut self, states: &[State]) {
        for State { name, shape, data } in states {
            let dims = shape.iter().map(|side| *side as i64).collect();
            let tensor =
                Tensor { name: name.clone(), dims, data_type: 1, float_data: data.clone(), ..Tensor::default() };
            self.0.initializer.push(tensor);
        }
    }

    pub(crate) fn whole(&mut self, name: &str, numbers: &[i64]) {
        let dims = vec![numbers.len() as i64];
        let int64_data = numbers.to_vec();
        self.0.initializer.push(Tensor { name: name.into(), dims, data_type: 7, int64_data, ..Tensor::default() });
    }

    /// The bytes of the file with these outputs.
    pub(crate) fn onnx(mut self, outputs: &[String]) -> Vec<u8> {
        let value = |name: &str| ValueInfo { name: name.to_owned() };
        self.0.input = vec![value("input")];
        self.0.output = outputs.iter().map(|output| value(output)).collect();
        Model { graph: Some(self.0) }.encode_to_vec()
    }
}

/// IResNet over a state dict, as an exporter writes it that folds nothing; the picture is scaled inside or not.
pub(crate) fn iresnet_onnx(states: &States, blocks: [usize; 4], scales: bool) -> Vec<u8> {
    let mut net = Writer::default();
    net.constants(&states.all);
    let norm = |net: &mut Writer, x: &str, name: &str| {
        let of = |what: &str| format!("{name}.{what}");
        let (weight, bias, mean, variance) = (of("weight"), of("bias"), of("running_mean"), of("running_var"));
        net.node("BatchNormalization", &[x, &weight, &bias, &mean, &variance], vec![])
    };
    let mut x = "input".to_owned();
    if scales {
        let one = |name: &str, v| State { name: name.into(), shape: vec![], data: vec![v] };
        net.constants(&[one("mean", 127.5), one("size", 127.5)]);
        x = net.node("Sub", &[&x, "mean"], vec![]);
        x = net.node("Div", &[&x, "size"], vec![]);
    }
    x = net.conv(&x, "conv1.weight", 1, 1);
    x = norm(&mut net, &x, "bn1");
    x = net.node("PRelu", &[&x, "prelu.weight"], vec![]);
    for (stage, blocks) in blocks.into_iter().enumerate() {
        for block in 0..blocks {
            let of = |what: &str| format!("layer{}.{block}.{what}", stage + 1);
            let stride = if block == 0 { 2 } else { 1 };
            let mut y = norm(&mut net, &x, &of("bn1"));
            y = net.conv(&y, &of("conv1.weight"), 1, 1);
            y = norm(&mut net, &y, &of("bn2"));
            y = net.node("PRelu", &[&y, &of("prelu.weight")], vec![]);
            y = net.conv(&y, &of("conv2.weight"), stride, 1);
            y = norm(&mut net, &y, &of("bn3"));
            if block == 0 {
                x = net.conv(&x, &of("downsample.0.weight"), 2, 0);
                x = norm(&mut net, &x, &of("downsample.1"));
            }
            x = net.node("Add", &[&y, &x], vec![]);
        }
    }
    x = norm(&mut net, &x, "bn2");
    x = net.node("Flatten", &[&x], vec![int("axis", 1)]);
    x = net.node("Gemm", &[&x, "fc.weight", "fc.bias"], vec![int("transB", 1)]);
    x = norm(&mut net, &x, "features");
    net.onnx(&[x])
}

/// A detector with SCRFD's outputs, and with the operators of its backbone that other networks lack.
pub(crate) fn scrfd_onnx() -> Vec<u8> {
    let mut states = States::new(3);
    for (name, shape) in [("a", [8, 3, 3, 3]), ("b", [12, 8, 3, 3]), ("c", [16, 12, 1, 1]), ("d", [16, 16, 1, 1])] {
        states.conv(name, shape);
    }
    for stride in [8, 16, 32] {
        for (kind, numbers) in [("score", 2), ("box", 8), ("marks", 20)] {
            states.conv(&format!("{kind}{stride}"), [numbers, 16, 3, 3]);
        }
    }
    let mut net = Writer::default();
    net.constants(&states.all);
    for (name, numbers) in [("score", 1), ("box", 4), ("marks", 10)] {
        net.whole(&format!("rows of {name}"), &[0, -1, numbers]);
    }
    let halved = || vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), int("ceil_mode", 1)];
    let mut x = net.conv("input", "a.weight", 2, 1);
    x = net.node("Relu", &[&x], vec![]);
    x = net.conv(&x, "b.weight", 2, 1);
    x = net.node("AveragePool", &[&x], halved());
    x = net.conv(&x, "c.weight", 1, 0);
    let mut outputs = [(); 3].map(|()| Vec::new());
    for stride in [8, 16, 32] {
        for (outputs, name) in outputs.iter_mut().zip(["score", "box", "marks"]) {
            let y = net.conv(&x, &format!("{name}{stride}.weight"), 1, 1);
            let y = net.node("Transpose", &[&y], vec![ints("perm", &[0, 2, 3, 1])]);
            let y = net.node("Reshape", &[&y, &format!("rows of {name}")], vec![]);
            outputs.push(if name == "score" { net.node("Sigmoid", &[&y], vec![]) } else { y });
        }
        x = net.node("AveragePool", &[&x], halved());
        x = net.conv(&x, "d.weight", 1, 0);
    }
    net.onnx(&outputs.concat())
}

pub(crate) fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.into(), i, ..Attribute::default() }
}

pub(crate) fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute { name: name.into(), ints: ints.to_vec(), ..Attribute::default() }
}
