//! An independent forward pass in f64.
//!
//! Own protobuf reader, nothing folded, plain loops.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use std::collections::HashMap;

/// A value: dimensions and numbers.
#[derive(Clone, Debug, Default)]
struct Value {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// The outputs of the ONNX file for one input `(1, 3, side.0, side.1)`, in the order the file lists them.
pub(crate) fn run(onnx: &[u8], input: &[f32], side: (usize, usize)) -> Vec<Vec<f64>> {
    let graph = first(&fields(onnx), 7);
    let graph = fields(graph);
    let mut values = HashMap::new();
    for tensor in all(&graph, 5) {
        let (name, value) = constant(tensor);
        values.insert(name, value);
    }
    let given =
        all(&graph, 11).map(|info| text(first(&fields(info), 1))).find(|name| !values.contains_key(name)).unwrap();
    let data = input.iter().map(|v| f64::from(*v)).collect();
    values.insert(given, Value { shape: vec![1, 3, side.0, side.1], data });
    for node in all(&graph, 1) {
        let node = fields(node);
        let inputs: Vec<&Value> = all(&node, 1).map(text).filter_map(|name| values.get(&name)).collect();
        let attributes: HashMap<String, &[u8]> = all(&node, 5).map(|a| (text(first(&fields(a), 1)), a)).collect();
        let made = computed(&text(first(&node, 4)), &inputs, &attributes);
        values.insert(text(first(&node, 2)), made);
    }
    all(&graph, 12).map(|info| values[&text(first(&fields(info), 1))].data.clone()).collect()
}

fn computed(op: &str, inputs: &[&Value], attributes: &HashMap<String, &[u8]>) -> Value {
    let int = |name: &str, default: i64| attributes.get(name).map_or(default, |a| varints(&fields(a), 3)[0]);
    let ints = |name: &str| attributes.get(name).map_or(vec![], |a| varints(&fields(a), 8));
    let x = inputs.first().copied().cloned().unwrap_or_default();
    let each = |f: &dyn Fn(usize, f64) -> f64| Value {
        shape: x.shape.clone(),
        data: x.data.iter().enumerate().map(|(i, v)| f(i, *v)).collect(),
    };
    let channel = |i: usize| i / x.shape[2..].iter().product::<usize>() % x.shape[1];
    match op {
        "Constant" => constant(first(&fields(attributes["value"]), 5)).1,
        "Dropout" | "Identity" | "Unsqueeze" | "Cast" => x,
        "Shape" => Value { shape: vec![x.shape.len()], data: x.shape.iter().map(|d| *d as f64).collect() },
        "Gather" => {
            let data: Vec<f64> = inputs[1].data.iter().map(|i| x.data[*i as usize]).collect();
            Value { shape: vec![data.len()], data }
        }
        "Slice" => {
            let data = x.data[inputs[1].data[0] as usize..inputs[2].data[0] as usize].to_vec();
            Value { shape: vec![data.len()], data }
        }
        "Concat" => concat(inputs, int("axis", 0) as usize),
        "Softmax" => {
            let row = *x.shape.last().unwrap();
            assert_eq!(int("axis", -1) as usize, x.shape.len() - 1);
            let sums: Vec<f64> = x.data.chunks(row).map(|row| row.iter().map(|v| v.exp()).sum()).collect();
            each(&|i, v| v.exp() / sums[i / row])
        }
        "GlobalAveragePool" => {
            let pixels: usize = x.shape[2..].iter().product();
            let data = x.data.chunks(pixels).map(|plane| plane.iter().sum::<f64>() / pixels as f64).collect();
            Value { shape: vec![1, x.shape[1], 1, 1], data }
        }
        "LeakyRelu" => {
            let slope = f64::from(f32::from_le_bytes(first(&fields(attributes["alpha"]), 2).try_into().unwrap()));
            each(&|_, v| if v < 0.0 { v * slope } else { v })
        }
        "Relu" => each(&|_, v| v.max(0.0)),
        "Sigmoid" => each(&|_, v| 1.0 / (1.0 + (-v).exp())),
        "PRelu" => each(&|i, v| if v < 0.0 { v * inputs[1].data[channel(i)] } else { v }),
        "Sub" => each(&|_, v| v - inputs[1].data[0]),
        "Mul" if inputs[1].data.len() == 1 => each(&|_, v| v * inputs[1].data[0]),
        // One number a channel.
        "Mul" => each(&|i, v| v * inputs[1].data[channel(i)]),
        "BatchNormalization" => {
            let epsilon = f64::from(f32::from_le_bytes(first(&fields(attributes["epsilon"]), 2).try_into().unwrap()));
            each(&|i, v| {
                let of = |input: usize| inputs[input].data[channel(i)];
                (v - of(3)) / (of(4) + epsilon).sqrt() * of(1) + of(2)
            })
        }
        "DequantizeLinear" => {
            // Every constant of the two files is quantised along its last axis.
            assert_eq!(int("axis", 1) as usize, x.shape.len() - 1);
            let (row, block) = (*x.shape.last().unwrap(), int("block_size", 0) as usize);
            let blocks = row.div_ceil(block);
            each(&|i, v| {
                let at = i / row * blocks + i % row / block;
                (v - inputs[2].data[at]) * inputs[1].data[at]
            })
        }
        "Add" => each(&|i, v| v + inputs[1].data[i]),
        "Reshape" => {
            let mut shape: Vec<usize> = inputs[1].data.iter().map(|d| d.max(0.0) as usize).collect();
            let known: usize = shape.iter().filter(|d| **d > 0).product();
            shape.iter_mut().filter(|d| **d == 0).for_each(|d| *d = x.data.len() / known);
            Value { shape, ..x }
        }
        "Flatten" => Value { shape: vec![1, x.data.len()], ..x },
        "Transpose" => {
            let [_, c, h, w] = x.shape[..] else { panic!() };
            assert_eq!(ints("perm"), [0, 2, 3, 1]);
            let data = (0..h * w * c).map(|i| x.data[i % c * h * w + i / c]).collect();
            Value { shape: vec![1, h, w, c], data }
        }
        "MaxPool" => {
            let [_, c, h, w] = x.shape[..] else { panic!() };
            let data = (0..c * (h / 2) * (w / 2)).map(|i| {
                let (c, y, x0) = (i / (h / 2 * (w / 2)), i / (w / 2) % (h / 2), i % (w / 2));
                let at = |dy: usize, dx: usize| x.data[(c * h + 2 * y + dy) * w + 2 * x0 + dx];
                at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
            });
            Value { shape: vec![1, c, h / 2, w / 2], data: data.collect() }
        }
        "Resize" => {
            let [_, c, h, w] = x.shape[..] else { panic!() };
            // The last input is how often, or how large.
            let last = &inputs[inputs.len() - 1].data;
            let doubled = [1.0, c as f64, (2 * h) as f64, (2 * w) as f64];
            assert!(*last == [1.0, 1.0, 2.0, 2.0] || *last == doubled, "{last:?}");
            let data = (0..c * 4 * h * w)
                .map(|i| x.data[(i / (4 * h * w) * h + i / (2 * w) % (2 * h) / 2) * w + i % (2 * w) / 2]);
            Value { shape: vec![1, c, 2 * h, 2 * w], data: data.collect() }
        }
        "Gemm" => {
            let [outputs, row] = inputs[1].shape[..] else { panic!() };
            let data = (0..outputs).map(|o| {
                x.data.iter().zip(&inputs[1].data[o * row..][..row]).map(|(a, b)| a * b).sum::<f64>()
                    + inputs[2].data[o]
            });
            Value { shape: vec![1, outputs], data: data.collect() }
        }
        "MatMul" => {
            let [rows, columns] = inputs[1].shape[..] else { panic!() };
            let data = (0..columns).map(|o| (0..rows).map(|i| x.data[i] * inputs[1].data[i * columns + o]).sum());
            Value { shape: vec![1, columns], data: data.collect() }
        }
        "Conv" => conv(&x, inputs[1], inputs.get(2).copied(), ints("strides")[0], ints("pads")[0], int("group", 1)),
        other => panic!("the reference has no {other}"),
    }
}

fn concat(inputs: &[&Value], axis: usize) -> Value {
    let mut shape = inputs[0].shape.clone();
    shape[axis] = inputs.iter().map(|input| input.shape[axis]).sum();
    let run = |input: &Value| input.shape[axis..].iter().product::<usize>();
    let outer: usize = shape[..axis].iter().product();
    let data =
        (0..outer).flat_map(|o| inputs.iter().flat_map(move |input| &input.data[o * run(input)..][..run(input)]));
    Value { shape, data: data.copied().collect() }
}

fn conv(x: &Value, weight: &Value, bias: Option<&Value>, stride: i64, pad: i64, groups: i64) -> Value {
    let (&[_, _, h, w], &[outputs, depth, k, _]) = (&x.shape[..], &weight.shape[..]) else { panic!() };
    let (stride, pad) = (stride as usize, pad as usize);
    let side = |n: usize| (n + 2 * pad - k) / stride + 1;
    let (rows, columns) = (side(h), side(w));
    let mut data = Vec::with_capacity(outputs * rows * columns);
    for o in 0..outputs {
        let group = o / (outputs / groups as usize);
        for i in 0..rows * columns {
            let mut sum = bias.map_or(0.0, |bias| bias.data[o]);
            for (t, weight) in weight.data[o * depth * k * k..][..depth * k * k].iter().enumerate() {
                let (c, y, x0) = (t / (k * k), i / columns * stride + t / k % k, i % columns * stride + t % k);
                if y >= pad && x0 >= pad && y < h + pad && x0 < w + pad {
                    sum += weight * x.data[((group * depth + c) * h + y - pad) * w + x0 - pad];
                }
            }
            data.push(sum);
        }
    }
    Value { shape: vec![1, outputs, rows, columns], data }
}

/// A constant: dims 1, type 2, floats 4, name 8, bytes 9.
fn constant(tensor: &[u8]) -> (String, Value) {
    let tensor = fields(tensor);
    let shape: Vec<usize> = varints(&tensor, 1).into_iter().map(|d| d as usize).collect();
    let n: usize = shape.iter().product();
    let is_packed = all(&tensor, 9).next().is_none();
    let raw = all(&tensor, 9).next().unwrap_or_default();
    let data: Vec<f64> = match varints(&tensor, 2)[0] {
        1 if is_packed => all(&tensor, 4)
            .flat_map(|run| run.chunks(4))
            .map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap())))
            .collect(),
        1 => raw.chunks(4).map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap()))).collect(),
        3 => raw.iter().map(|b| f64::from(*b as i8)).collect(),
        7 => raw.chunks(8).map(|c| i64::from_le_bytes(c.try_into().unwrap()) as f64).collect(),
        other => panic!("the reference has no numbers of type {other}"),
    };
    assert_eq!(data.len(), n);
    (text(first(&tensor, 8)), Value { shape, data })
}

/// The fields of a protobuf message: number and bytes (a varint as the bytes it is made of).
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = varint(bytes);
        let (value, rest) = match key & 7 {
            0 => rest.split_at(rest.len() - varint(rest).1.len()),
            1 => rest.split_at(8),
            5 => rest.split_at(4),
            2 => {
                let (length, rest) = varint(rest);
                rest.split_at(length as usize)
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
        bytes = rest;
    }
    found
}

fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let end = bytes.iter().position(|b| b & 0x80 == 0).unwrap();
    let value = bytes[..=end].iter().rev().fold(0u64, |v, b| v << 7 | u64::from(b & 0x7f));
    (value, &bytes[end + 1..])
}

fn all<'a, 'b>(fields: &'b [(u64, &'a [u8])], number: u64) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
    fields.iter().filter(move |(n, _)| *n == number).map(|(_, bytes)| *bytes)
}

fn first<'a>(fields: &[(u64, &'a [u8])], number: u64) -> &'a [u8] {
    all(fields, number).next().unwrap_or_default()
}

/// Whole numbers of a field, packed or not.
fn varints(fields: &[(u64, &[u8])], number: u64) -> Vec<i64> {
    let mut numbers = Vec::new();
    for mut run in all(fields, number) {
        while !run.is_empty() {
            let (value, rest) = varint(run);
            numbers.push(value as i64);
            run = rest;
        }
    }
    numbers
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
