//! A graph drawn over tensors by name.
//!
//! A state dict says what numbers there are, not what is computed. Whoever knows the architecture draws it here layer by
//! layer; the result is read like any published graph, so that norms are folded and layers joined by the same code.

use crate::{
    import::pth::States,
    weights::onnx::{Attribute, Graph, Node, Tensor, ValueInfo},
};

/// What the picture is called.
const INPUT: &str = "input";
/// What PyTorch adds to a variance where a model does not say otherwise, as those drawn here do not.
const EPSILON: f32 = 1e-5;

/// A graph while it is drawn. Each method reads the tensors of one layer and gives the name of what it makes.
pub(crate) struct Drawing {
    states: States,
    graph: Graph,
}

/// How a convolution moves over its input.
#[derive(Clone, Copy)]
pub(crate) struct Moves {
    pub(crate) stride: i64,
    pub(crate) pad: i64,
    /// Each channel by itself.
    pub(crate) depthwise: bool,
}

impl Drawing {
    /// Of nothing but a picture, whose name is given with it.
    pub(crate) fn new(states: States) -> (Self, String) {
        let graph = Graph { input: vec![ValueInfo { name: INPUT.into() }], ..Graph::default() };
        (Self { states, graph }, INPUT.to_owned())
    }

    /// Whether there is a tensor of this name that no layer has read.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.states.contains_key(name)
    }

    /// The shape of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.states.get(name)?.shape)
    }

    /// A convolution `NAME.weight`, with `NAME.bias` where there is one.
    pub(crate) fn conv(&mut self, x: &str, name: &str, moves: Moves) -> Result<String, String> {
        let shape = self.shape(&format!("{name}.weight")).unwrap_or_default();
        let groups = if moves.depthwise { shape.first().copied().unwrap_or(1) } else { 1 };
        let kernel = shape.get(2).copied().unwrap_or(0);
        let settings = vec![
            ints("kernel_shape", &[kernel as i64; 2]),
            ints("strides", &[moves.stride; 2]),
            ints("pads", &[moves.pad; 4]),
            int("group", groups as i64),
        ];
        let (weight, bias) = (self.take(&format!("{name}.weight"))?, self.take_if(&format!("{name}.bias"))?);
        Ok(self.node("Conv", [Some(x.to_owned()), Some(weight), bias], settings))
    }

    /// A fully connected layer.
    pub(crate) fn linear(&mut self, x: &str, name: &str) -> Result<String, String> {
        let (weight, bias) = (self.take(&format!("{name}.weight"))?, self.take_if(&format!("{name}.bias"))?);
        Ok(self.node("Gemm", [Some(x.to_owned()), Some(weight), bias], vec![int("transB", 1)]))
    }

    /// A batch norm.
    pub(crate) fn norm(&mut self, x: &str, name: &str) -> Result<String, String> {
        let of = |what: &str| format!("{name}.{what}");
        let mut inputs = vec![Some(x.to_owned())];
        for what in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(Some(self.take(&of(what))?));
        }
        let epsilon = Attribute { name: "epsilon".into(), f: EPSILON, ..Attribute::default() };
        Ok(self.node("BatchNormalization", inputs, vec![epsilon]))
    }

    /// PReLU with one slope a channel.
    pub(crate) fn prelu(&mut self, x: &str, name: &str) -> Result<String, String> {
        let slope = self.take(&format!("{name}.weight"))?;
        Ok(self.node("PRelu", [Some(x.to_owned()), Some(slope)], vec![]))
    }

    /// An operator without tensors over one value or two.
    pub(crate) fn plain(&mut self, op: &str, inputs: &[&str]) -> String {
        let settings = if op == "Flatten" { vec![int("axis", 1)] } else { vec![] };
        self.node(op, inputs.iter().map(|name| Some((*name).to_owned())), settings)
    }

    /// The graph that ends in `x`.
    ///
    /// # Errors
    /// In words, when a tensor is left that no layer has read: then it is another network.
    pub(crate) fn finished(mut self, x: String) -> Result<Graph, String> {
        if let Some(name) = self.states.keys().min() {
            let more = self.states.len();
            return Err(format!("it has {more} tensors that the architecture has no place for, such as {name}"));
        }
        self.graph.output = vec![ValueInfo { name: x }];
        Ok(self.graph)
    }

    fn take(&mut self, name: &str) -> Result<String, String> {
        self.take_if(name)?.ok_or_else(|| format!("it has no tensor {name}"))
    }

    fn take_if(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(array) = self.states.remove(name) else { return Ok(None) };
        let dims = array.shape.iter().map(|side| i64::try_from(*side)).collect::<Result<_, _>>();
        let dims = dims.map_err(|_| format!("tensor {name} is beyond reason"))?;
        let tensor = Tensor { name: name.into(), dims, data_type: 1, float_data: array.data, ..Tensor::default() };
        self.graph.initializer.push(tensor);
        Ok(Some(name.to_owned()))
    }

    fn node(
        &mut self,
        op: &str,
        inputs: impl IntoIterator<Item = Option<String>>,
        attribute: Vec<Attribute>,
    ) -> String {
        let name = format!("v{}", self.graph.node.len());
        let input = inputs.into_iter().flatten().collect();
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
