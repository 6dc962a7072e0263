//! An ONNX graph as our description.
//!
//! Constants are folded, norms and activations joined to their layers.

use crate::{
    net::{Activation, Description, FORMAT, Step},
    weights::{
        fold::{Affine, Array, dequantised},
        onnx::{Graph, Node},
        store::Stored,
    },
};
use std::collections::HashMap;

/// Reads a graph as a network.
///
/// Outputs keep the layout `(B, C, H, W)`; a transposition to channels-last and a reshape at the end of a graph, which
/// only rename positions, are left to whoever reads the output.
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
    let outputs = graph.output.iter().map(|output| reader.live(&output.name)).collect::<Result<_, _>>()?;
    let mut tensors = reader.tensors;
    let channels = reader.channels.ok_or("no convolution reads the input")?;
    tensors.retain(|_, array| !array.data.is_empty());
    let description = Description {
        format: FORMAT,
        name: name.to_owned(),
        source_sha256: source_sha256.to_owned(),
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
enum Value {
    Constant(Array),
    /// A value of ours.
    Live(String),
    /// A value of ours, every pixel doubled in both directions.
    Doubled(String),
}

struct Reader {
    input: String,
    channels: Option<usize>,
    values: HashMap<String, Value>,
    /// How often each name is read.
    uses: HashMap<String, usize>,
    steps: Vec<Step>,
    tensors: HashMap<String, Array>,
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
        for name in graph.node.iter().flat_map(|node| &node.input).chain(outputs) {
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
            "Reshape" => match self.value(arg(node, 0)?)? {
                Value::Constant(array) => Value::Constant(array.reshaped(&self.constant(arg(node, 1)?)?.data)?),
                _ => self.renamed(arg(node, 0)?, output)?,
            },
            "Transpose" if node.ints("perm") == Some(&[0, 2, 3, 1]) => self.renamed(arg(node, 0)?, output)?,
            "Dropout" | "Identity" => self.renamed(arg(node, 0)?, output)?,
            "Flatten" if node.int("axis", 1) == 1 => self.renamed(arg(node, 0)?, output)?,
            "Conv" => self.conv(node, output)?,
            "BatchNormalization" => self.norm(node, output)?,
            "Relu" => self.activated(arg(node, 0)?, output, Activation::Relu)?,
            "PRelu" => {
                let slope = self.constant(arg(node, 1)?)?.clone();
                let tensor = self.store("slope", Array { shape: vec![slope.data.len()], data: slope.data });
                self.activated(arg(node, 0)?, output, Activation::Prelu(tensor))?
            }
            "Sub" | "Mul" => {
                let constant = self.constant(arg(node, 1)?)?;
                let [number] = constant.data[..] else { return Err("a constant of several numbers".to_owned()) };
                let (scale, shift) = if node.op_type == "Sub" { (1.0, -number) } else { (number, 0.0) };
                self.affine(arg(node, 0)?, output, &Affine { scale: vec![scale.into()], shift: vec![shift.into()] })?
            }
            "Add" => self.added(node, output)?,
            "Resize" => self.doubled(node)?,
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
            "Sigmoid" => {
                let input = self.live(arg(node, 0)?)?;
                self.step(Step::Sigmoid { input, output: output.clone() })
            }
            "Gemm" => self.linear(node, output)?,
            _ => return Err("this operator is not known".to_owned()),
        };
        self.values.insert(output.clone(), value);
        Ok(())
    }

    fn conv(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let weight = self.constant(arg(node, 1)?)?.clone();
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self.constant(name)?.clone(),
            None => Array { shape: vec![weight.shape[0]], data: vec![0.0; weight.shape[0]] },
        };
        let same = |ints: Option<&[i64]>, default: i64| -> Option<usize> {
            let first = ints.and_then(|ints| ints.first().copied()).unwrap_or(default);
            let all = ints.is_none_or(|ints| ints.iter().all(|i| *i == first));
            all.then(|| usize::try_from(first).ok()).flatten()
        };
        let (stride, pad) = (same(node.ints("strides"), 1), same(node.ints("pads"), 0));
        let groups = usize::try_from(node.int("group", 1)).ok();
        let (Some(stride @ 1..), Some(pad), Some(groups @ 1..)) = (stride, pad, groups) else {
            return Err("strides or paddings that differ by side".to_owned());
        };
        let square = matches!(weight.shape[..], [_, _, high, wide] if high == wide);
        if !square || same(node.ints("dilations"), 1) != Some(1) || bias.data.len() != weight.shape[0] {
            return Err(format!("a kernel of shape {:?}, or dilation", weight.shape));
        }
        let input = self.live(arg(node, 0)?)?;
        self.channels = self.channels.or(Some(weight.shape[1] * groups));
        let (weight, bias) = (self.store("weight", weight), self.store("bias", bias));
        let activation = Activation::None;
        Ok(self.step(Step::Conv { input, output: output.into(), weight, bias, stride, pad, groups, activation }))
    }

    fn norm(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let of = |index| Ok::<_, String>(self.constant(arg(node, index)?)?.data.as_slice());
        let epsilon = node.attribute("epsilon").map_or(1e-5, |attribute| attribute.f);
        let norm = Affine::of_norm(of(1)?, of(2)?, of(3)?, of(4)?, epsilon)?;
        let name = arg(node, 0)?;
        if let Some(index) = self.own_step(name) {
            let (Step::Conv { weight, bias, activation: Activation::None, .. } | Step::Linear { weight, bias, .. }) =
                &self.steps[index]
            else {
                return self.affine(name, output, &norm);
            };
            let (weight, bias) = (weight.clone(), bias.clone());
            let mut array = self.tensors.remove(&bias).ok_or("its layer has no bias")?;
            norm.fold_after(self.tensors.get_mut(&weight).ok_or("its layer has no weights")?, &mut array)?;
            self.tensors.insert(bias, array);
            return self.renamed(name, output);
        }
        self.affine(name, output, &norm)
    }

    fn activated(&mut self, name: &str, output: &str, activated: Activation) -> Result<Value, String> {
        let index = self.own_step(name).ok_or("it does not follow a convolution of its own")?;
        let Step::Conv { activation: activation @ Activation::None, .. } = &mut self.steps[index] else {
            return Err("it does not follow a convolution".to_owned());
        };
        *activation = activated;
        self.renamed(name, output)
    }

    fn affine(&mut self, name: &str, output: &str, affine: &Affine) -> Result<Value, String> {
        if let Some(index) = self.own_step(name)
            && let Step::Affine { scale, shift, .. } = self.steps[index].clone()
            && affine.scale.len() == 1
        {
            let (by, plus) = (affine.scale[0], affine.shift[0]);
            for (tensor, plus) in [(scale, 0.0), (shift, plus)] {
                let array = self.tensors.get_mut(&tensor).ok_or("its constants are gone")?;
                array.data.iter_mut().for_each(|v| *v = (f64::from(*v) * by + plus) as f32);
            }
            return self.renamed(name, output);
        }
        let input = self.live(name)?;
        let array = |data: &[f64]| Array { shape: vec![data.len()], data: data.iter().map(|v| *v as f32).collect() };
        let (scale, shift) = (self.store("scale", array(&affine.scale)), self.store("shift", array(&affine.shift)));
        Ok(self.step(Step::Affine { input, output: output.into(), scale, shift }))
    }

    fn added(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let (large, small) = match (self.value(arg(node, 0)?)?, self.value(arg(node, 1)?)?) {
            (Value::Live(large), Value::Doubled(small)) | (Value::Doubled(small), Value::Live(large)) => {
                (large.clone(), small.clone())
            }
            _ => return Err("other than a value and a doubled value".to_owned()),
        };
        Ok(self.step(Step::AddDoubled { large, small, output: output.into() }))
    }

    fn doubled(&self, node: &Node) -> Result<Value, String> {
        let text = |name: &str| node.attribute(name).map_or(&[][..], |attribute| &attribute.s);
        let nearest = text("mode") == b"nearest" && text("nearest_mode") == b"floor";
        let scales = self.constant(arg(node, 2)?)?;
        if !nearest || text("coordinate_transformation_mode") != b"asymmetric" || scales.data != [1.0, 1.0, 2.0, 2.0] {
            return Err("other than doubling of pixels".to_owned());
        }
        Ok(Value::Doubled(self.live(arg(node, 0)?)?))
    }

    fn linear(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let one = |name| node.attribute(name).is_none_or(|attribute| attribute.f == 1.0);
        if !one("alpha") || !one("beta") || node.int("transA", 0) != 0 || node.int("transB", 0) != 1 {
            return Err("other than input times transposed weights plus bias".to_owned());
        }
        let (mut weight, mut bias) = (self.constant(arg(node, 1)?)?.clone(), self.constant(arg(node, 2)?)?.clone());
        let outputs = bias.data.len();
        if !matches!(weight.shape[..], [rows, _] if rows == outputs) {
            return Err(format!("weights of shape {:?} for {outputs} outputs", weight.shape));
        }
        let mut input = self.live(arg(node, 0)?)?;
        if let Some(index) = self.own_step(arg(node, 0)?)
            && let Step::Affine { input: before, scale, shift, .. } = self.steps[index].clone()
        {
            let wide = |name: &str| self.tensors.get(name).map(|a| a.data.iter().map(|v| f64::from(*v)).collect());
            let norm = Affine { scale: wide(&scale).ok_or("lost")?, shift: wide(&shift).ok_or("lost")? };
            norm.fold_before(&mut weight, &mut bias)?;
            self.steps.remove(index);
            self.tensors.remove(&scale);
            self.tensors.remove(&shift);
            input = before;
        }
        let (weight, bias) = (self.store("weight", weight), self.store("bias", bias));
        Ok(self.step(Step::Linear { input, output: output.into(), weight, bias }))
    }

    fn value(&self, name: &str) -> Result<&Value, String> {
        self.values.get(name).ok_or_else(|| format!("nothing makes {name}"))
    }

    fn constant(&self, name: &str) -> Result<&Array, String> {
        match self.value(name)? {
            Value::Constant(array) => Ok(array),
            _ => Err(format!("{name} is not a constant")),
        }
    }

    fn live(&self, name: &str) -> Result<String, String> {
        match self.value(name)? {
            Value::Live(value) => Ok(value.clone()),
            Value::Constant(_) => Err(format!("{name} is a constant")),
            Value::Doubled(_) => Err(format!("{name} is doubled, and not added to anything")),
        }
    }

    /// The step that makes `name`, when nobody else reads what it makes.
    fn own_step(&self, name: &str) -> Option<usize> {
        let Some(Value::Live(value)) = self.values.get(name) else { return None };
        if value != name || self.uses.get(name) != Some(&1) {
            return None;
        }
        self.steps.iter().position(|step| step.output() == name)
    }

    /// `output` stands for the same numbers as `name`; the step that makes them takes the new name where it is free to.
    fn renamed(&mut self, name: &str, output: &str) -> Result<Value, String> {
        let Some(index) = self.own_step(name) else { return Ok(Value::Live(self.live(name)?)) };
        match &mut self.steps[index] {
            Step::Conv { output: made, .. }
            | Step::HalveByMax { output: made, .. }
            | Step::AddDoubled { output: made, .. }
            | Step::Affine { output: made, .. }
            | Step::Linear { output: made, .. }
            | Step::Sigmoid { output: made, .. } => output.clone_into(made),
        }
        Ok(Value::Live(output.to_owned()))
    }

    fn step(&mut self, step: Step) -> Value {
        let value = Value::Live(step.output().to_owned());
        self.steps.push(step);
        value
    }

    fn store(&mut self, what: &str, array: Array) -> String {
        let name = format!("{:03}.{what}", self.made);
        self.made += 1;
        self.tensors.insert(name.clone(), array);
        name
    }
}

fn arg(node: &Node, index: usize) -> Result<&str, String> {
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty()).ok_or_else(|| format!("no input {index}"))
}
