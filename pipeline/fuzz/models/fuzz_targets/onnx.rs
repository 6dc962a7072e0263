//! ONNX files as a site brings them: understood as one of the architectures, or refused in words.
#![no_main]

#[path = "../../../../models/tests/support/brought.rs"]
mod brought;
#[path = "../../seeds.rs"]
mod seeds;

use brought::{States, iresnet_onnx, scrfd_onnx};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use usher_models::{
    architecture::Architecture,
    import::understood,
    weights::onnx::{Attribute, Graph, Model, Node, Tensor, ValueInfo, graph},
};

/// One convolution and what may follow it: small enough to be changed everywhere.
fn small() -> Vec<u8> {
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let tensor = |name: &str, dims: &[i64], data: Vec<f32>| Tensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: 1,
        float_data: data,
        ..Tensor::default()
    };
    let ints =
        |name: &str, ints: &[i64]| Attribute { name: name.to_owned(), ints: ints.to_vec(), ..Attribute::default() };
    let node = |kind: &str, input: &[&str], output: &str, attribute: Vec<Attribute>| Node {
        input: text(input),
        output: text(&[output]),
        op_type: kind.to_owned(),
        attribute,
    };
    let attributes = vec![
        ints("kernel_shape", &[3, 3]),
        ints("strides", &[1, 1]),
        ints("pads", &[1, 1, 1, 1]),
        ints("dilations", &[1, 1]),
    ];
    let graph = Graph {
        node: vec![
            node("Conv", &["x", "w", "b"], "1", attributes),
            node("BatchNormalization", &["1", "g", "b", "m", "v"], "2", vec![]),
            node("PRelu", &["2", "p"], "3", vec![]),
            node("Add", &["1", "3"], "4", vec![]),
            node("Flatten", &["4"], "5", vec![]),
            node("Gemm", &["5", "f", "b"], "6", vec![]),
        ],
        initializer: vec![
            tensor("w", &[2, 3, 3, 3], vec![0.1; 54]),
            tensor("b", &[2], vec![0.0, 1.0]),
            tensor("g", &[2], vec![1.0; 2]),
            tensor("m", &[2], vec![0.0; 2]),
            tensor("v", &[2], vec![1.0; 2]),
            tensor("p", &[2, 1, 1], vec![0.2; 2]),
            tensor("f", &[2, 8], vec![0.3; 16]),
        ],
        input: vec![ValueInfo { name: "x".to_owned() }],
        output: vec![ValueInfo { name: "6".to_owned() }],
    };
    Model { graph: Some(graph) }.encode_to_vec()
}

/// A network without the numbers of its large tensors: the graph is what is to be changed.
fn hollow(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut model = Model::decode(&*bytes).expect("a seed is ONNX");
    for tensor in model.graph.iter_mut().flat_map(|graph| &mut graph.initializer) {
        if tensor.raw_data.len() + 4 * tensor.float_data.len() > 256 {
            (tensor.raw_data, tensor.float_data) = (Vec::new(), Vec::new());
        }
    }
    bytes.clear();
    model.encode(&mut bytes).expect("a vector grows");
    bytes
}

fuzz_target!(
    init: {
        seeds::seed("small", &small());
        seeds::seed("iresnet", &hollow(iresnet_onnx(&States::iresnet([1, 1, 1, 1]), [1, 1, 1, 1], true)));
        seeds::seed("scrfd", &hollow(scrfd_onnx()));
    },
    |data: &[u8]| {
        if let Ok(graph) = graph(data) {
            for tensor in &graph.initializer {
                if let Ok(numbers) = tensor.numbers() {
                    assert_eq!(numbers.len(), tensor.shape().expect("it was asked for").iter().product::<usize>());
                }
            }
            // Recognising is the same for all; what it is held against, its length chooses.
            let architecture = Architecture::ALL[data.len() % Architecture::ALL.len()];
            if let Err(why) = understood(data.to_vec(), architecture, "fuzzed", "0") {
                assert!(!why.is_empty());
            }
        }
    }
);
