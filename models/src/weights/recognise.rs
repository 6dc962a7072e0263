//! An ONNX graph as our description, operator by operator.
//!
//! Constants are folded, norms, sums and activations joined to their layers (`layers`), and what only
//! renames positions is taken out (`shapes`). No network has a reader of its own.

use crate::{
    net::{Activation, Description, FORMAT, Step},
    weights::{
        fold::{Affine, Array, dequantised},
        onnx::{Graph, Node},
        shared::without_repeats,
        store::Stored,
    },
};
use std::collections::{HashMap, HashSet};

/// Reads a graph as a network.
///
/// Outputs keep the layout `(B, C, H, W)`; a transposition to channels-last and a reshape at the end of a graph, which
/// only rename positions, are left to whoever reads the output. An output that a graph joins from several maps leaves as
/// these maps, in the order in which it joins them, named `OUTPUT/0`, `OUTPUT/1`, ….
///
/// # Errors
/// In words, when an operator, or a use of one, is not known.
pub fn recognised(graph: &Graph, name: &str, source_sha256: &str) -> Result<Stored, String> {
    let mut reader = Reader::new(graph)?;
    for node in &graph.node {
        reader.read(node).map_err(|why| {
            format!("operator {} making {:?}: {why}", node.op_type, node.output.first().map_or("", String::as_str))
        })?;
    }
    let mut outputs = Vec::new();
    for output in &graph.output {
        outputs.extend(reader.leaving(&output.name)?);
    }
    let channels = reader.channels.ok_or("no convolution reads the input")?;
    without_repeats(&mut reader.steps, &mut reader.tensors, &outputs);
    let mut tensors = reader.tensors;
    tensors.retain(|_, array| !array.data.is_empty());
    let description = Description {
        format: FORMAT,
        name: name.to_owned(),
        source_sha256: source_sha256.to_owned(),
        imported: None,
        input: reader.input,
        channels,
        outputs,
        steps: reader.steps,
    };
    let tensors = tensors.into_iter().map(|(name, array)| (name, (array.shape, array.data))).collect();
    Ok(Stored { description, tensors })
}

/// What an ONNX name stands for.
#[derive(Clone)]
pub(crate) enum Value {
    Constant(Array),
    /// A value of ours.
    Live(String),
    /// A value of ours, every pixel doubled in both directions.
    Doubled(String),
    /// The mean of each 2×2 pixels of a value of ours, for a convolution of single pixels to read.
    Averaged(String),
    /// A shape, or whole numbers computed from one. `None` is known only when there is a picture.
    Sizes(Vec<Option<i64>>),
    /// Maps one after the other, pixel by pixel: rows of so many numbers, where that is known.
    Rows(Vec<String>, Option<usize>),
}

/// A graph while it is read.
pub(crate) struct Reader {
    input: String,
    pub(crate) channels: Option<usize>,
    pub(crate) values: HashMap<String, Value>,
    /// How often each name is read.
    uses: HashMap<String, usize>,
    pub(crate) steps: Vec<Step>,
    pub(crate) tensors: HashMap<String, Array>,
    made: usize,
}

impl Reader {
    fn new(graph: &Graph) -> Result<Self, String> {
        let mut values = HashMap::new();
        for tensor in &graph.initializer {
            values.insert(tensor.name.clone(), Value::Constant(Array::of(tensor)?));
        }
        let mut uses: HashMap<String, usize> = HashMap::new();
        let outputs = graph.output.iter().map(|output| &output.name);
        // Who asks for a shape reads no number.
        let reading = graph.node.iter().filter(|node| node.op_type != "Shape").flat_map(|node| &node.input);
        for name in reading.chain(outputs) {
            *uses.entry(name.clone()).or_default() += 1;
        }
        // Quantisers leave the constants that they replaced in the list of inputs: only what is read counts.
        let is_given = |name: &&String| !values.contains_key(*name) && uses.contains_key(*name);
        let mut given = graph.input.iter().map(|input| &input.name).filter(is_given);
        let (Some(input), None) = (given.next().cloned(), given.next()) else {
            return Err("a network of other than one input".to_owned());
        };
        values.insert(input.clone(), Value::Live(input.clone()));
        Ok(Self { input, channels: None, values, uses, steps: Vec::new(), tensors: HashMap::new(), made: 0 })
    }

    fn read(&mut self, node: &Node) -> Result<(), String> {
        let [output] = &node.output[..] else { return Err("other than one output".to_owned()) };
        let value = match node.op_type.as_str() {
            "Constant" => {
                let tensor = node.attribute("value").and_then(|value| value.t.as_ref()).ok_or("no tensor in it")?;
                Value::Constant(Array::of(tensor)?)
            }
            "DequantizeLinear" => {
                let zero =
                    node.input.get(2).filter(|name| !name.is_empty()).map(|name| self.constant(name)).transpose()?;
                Value::Constant(dequantised(node, self.constant(arg(node, 0)?)?, self.constant(arg(node, 1)?)?, zero)?)
            }
            "Dropout" | "Identity" => self.renamed(arg(node, 0)?, output)?,
            "Flatten" if node.int("axis", 1) == 1 => self.renamed(arg(node, 0)?, output)?,
            "Shape" | "Gather" | "Unsqueeze" | "Squeeze" | "Slice" | "Cast" => self.sizes(node)?,
            "Reshape" => self.reshaped(node, output)?,
            "Transpose" => self.transposed(node, output)?,
            "Concat" => self.joined(node, output)?,
            "Resize" | "Upsample" => self.doubled(node)?,
            "Softmax" => self.softmax(node, output)?,
            "Sigmoid" => self.sigmoid(arg(node, 0)?, output)?,
            "Conv" => self.conv(node, output)?,
            "Gemm" | "MatMul" => self.linear(node, output)?,
            "BatchNormalization" => {
                let of = |index| Ok::<_, String>(self.constant(arg(node, index)?)?.data.as_slice());
                let epsilon = node.attribute("epsilon").map_or(1e-5, |attribute| attribute.f);
                let norm = Affine::of_norm(of(1)?, of(2)?, of(3)?, of(4)?, epsilon)?;
                self.affine(arg(node, 0)?, output, &norm)?
            }
            "Relu" => self.activated(arg(node, 0)?, output, &Activation::Relu)?,
            "PRelu" => {
                let slope = self.constant(arg(node, 1)?)?.data.clone();
                let tensor = self.store("slope", Array { shape: vec![slope.len()], data: slope });
                self.activated(arg(node, 0)?, output, &Activation::Prelu(tensor))?
            }
            "LeakyRelu" => {
                let slope = node.attribute("alpha").map_or(0.01, |attribute| attribute.f);
                let tensor = self.store("slope", Array { shape: vec![1], data: vec![slope] });
                self.activated(arg(node, 0)?, output, &Activation::Prelu(tensor))?
            }
            "Add" | "Sub" | "Mul" | "Div" => self.combined(node, output)?,
            "MaxPool" => {
                let is_half = node.ints("kernel_shape") == Some(&[2, 2]) && node.ints("strides") == Some(&[2, 2]);
                let plain =
                    node.int("ceil_mode", 0) == 0 && node.ints("pads").is_none_or(|pads| pads.iter().all(|p| *p == 0));
                if !(is_half && plain) {
                    return Err("other than 2×2, stride 2, no padding".to_owned());
                }
                let input = self.live(arg(node, 0)?)?;
                self.step(Step::HalveByMax { input, output: output.clone() })
            }
            "AveragePool" => self.averaged(node)?,
            "GlobalAveragePool" => {
                let input = self.live(arg(node, 0)?)?;
                self.step(Step::GlobalMean { input, output: output.clone() })
            }
            _ => return Err("this operator is not known".to_owned()),
        };
        self.values.insert(output.clone(), value);
        Ok(())
    }

    /// What leaves as the output `name` of the graph.
    fn leaving(&mut self, name: &str) -> Result<Vec<String>, String> {
        let parts = match self.value(name)? {
            Value::Live(value) => vec![value.clone()],
            Value::Rows(parts, _) => parts.clone(),
            _ => return Err(format!("the output {name} is not computed from the picture")),
        };
        let [_] = &parts[..] else {
            let names = (0..parts.len()).map(|index| format!("{name}/{index}"));
            return parts.iter().zip(names).map(|(part, name)| self.named_anew(part, name)).collect();
        };
        Ok(parts)
    }

    /// Gives a value of ours another name.
    fn named_anew(&mut self, value: &str, name: String) -> Result<String, String> {
        let taken: HashSet<&str> = self.steps.iter().map(Step::output).collect();
        if taken.contains(name.as_str()) || !taken.contains(value) {
            return Ok(value.to_owned());
        }
        for step in &mut self.steps {
            step.inputs_mut().into_iter().filter(|read| *read == value).for_each(|read| read.clone_from(&name));
            if step.output() == value {
                step.output_mut().clone_from(&name);
            }
        }
        Ok(name)
    }

    pub(crate) fn value(&self, name: &str) -> Result<&Value, String> {
        self.values.get(name).ok_or_else(|| format!("nothing makes {name}"))
    }

    pub(crate) fn constant(&self, name: &str) -> Result<&Array, String> {
        match self.value(name)? {
            Value::Constant(array) => Ok(array),
            _ => Err(format!("{name} is not a constant")),
        }
    }

    pub(crate) fn live(&self, name: &str) -> Result<String, String> {
        match self.value(name)? {
            Value::Live(value) => Ok(value.clone()),
            Value::Constant(_) | Value::Sizes(_) => Err(format!("{name} is a constant")),
            Value::Doubled(_) => Err(format!("{name} is doubled, and not added to anything")),
            Value::Averaged(_) => Err(format!("{name} is a mean, and not read by a convolution of single pixels")),
            Value::Rows(..) => Err(format!("{name} is transposed, and does not leave")),
        }
    }

    /// The step that makes `name`, when nobody else reads what it makes.
    pub(crate) fn own_step(&self, name: &str) -> Option<usize> {
        let Some(Value::Live(value)) = self.values.get(name) else { return None };
        if value != name || self.reads(name) != 1 {
            return None;
        }
        self.maker(name)
    }

    /// How often a name of the graph is read.
    pub(crate) fn reads(&self, name: &str) -> usize {
        self.uses.get(name).copied().unwrap_or(0)
    }

    /// The step that makes a value of ours.
    pub(crate) fn maker(&self, value: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.output() == value)
    }

    /// `output` stands for the same numbers as `name`; the step that makes them takes the new name where it is free to.
    pub(crate) fn renamed(&mut self, name: &str, output: &str) -> Result<Value, String> {
        let value = self.value(name)?.clone();
        let (Value::Live(_), Some(index)) = (&value, self.own_step(name)) else { return Ok(value) };
        output.clone_into(self.steps[index].output_mut());
        Ok(Value::Live(output.to_owned()))
    }

    pub(crate) fn step(&mut self, step: Step) -> Value {
        let value = Value::Live(step.output().to_owned());
        self.steps.push(step);
        value
    }

    pub(crate) fn store(&mut self, what: &str, array: Array) -> String {
        let name = format!("{:03}.{what}", self.made);
        self.made += 1;
        self.tensors.insert(name.clone(), array);
        name
    }
}

/// The name of an operator's input.
pub(crate) fn arg(node: &Node, index: usize) -> Result<&str, String> {
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty()).ok_or_else(|| format!("no input {index}"))
}
