//! Operators that compute: layers, and what is joined to them.
//!
//! A norm goes into the layer before it, or into the one after it where that adds no zeros to its input; a sum into the
//! later of the two convolutions that make its parts, so that it costs no pass over memory; an activation into whatever
//! makes what it bends.

use crate::{
    net::{Activation, Step},
    weights::{
        fold::{Affine, Array},
        onnx::Node,
        recognise::{Reader, Value, arg},
    },
};

impl Reader {
    pub(crate) fn conv(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let mut weight = self.constant(arg(node, 1)?)?.clone();
        let mut bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self.constant(name)?.clone(),
            None => {
                let outputs = weight.shape.first().copied().unwrap_or(0);
                Array { shape: vec![outputs], data: vec![0.0; outputs] }
            }
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
        let pads_itself =
            node.attribute("auto_pad").is_some_and(|pad| !matches!(&pad.s[..], b"" | b"NOTSET" | b"VALID"));
        let square = matches!(weight.shape[..], [o, i, high, wide] if high == wide && o * i * high > 0);
        if pads_itself || !square || same(node.ints("dilations"), 1) != Some(1) || bias.data.len() != weight.shape[0] {
            return Err(format!("a kernel of shape {:?}, dilation, or padding of its own", weight.shape));
        }
        let averaged = match self.value(arg(node, 0)?)? {
            Value::Averaged(value) if (weight.shape[2], stride, pad, groups) == (1, 1, 0, 1) => Some(value.clone()),
            _ => None,
        };
        let (mut input, stride) = match averaged {
            // A pixel of a mean is a quarter of each of four.
            Some(value) => {
                let data = weight.data.iter().flat_map(|w| [w / 4.0; 4]).collect();
                weight = Array { shape: vec![weight.shape[0], weight.shape[1], 2, 2], data };
                (value, 2)
            }
            None => (self.live(arg(node, 0)?)?, stride),
        };
        if pad == 0
            && let Some((before, norm, index)) = self.norm_before(arg(node, 0)?)
        {
            norm.fold_before(&mut weight, &mut bias, groups)?;
            self.steps.remove(index);
            input = before;
        }
        self.channels = self.channels.or(Some(weight.shape[1] * groups));
        let (weight, bias) = (self.store("weight", weight), self.store("bias", bias));
        let (output, residual, activation) = (output.into(), None, Activation::None);
        Ok(self.step(Step::Conv { input, output, weight, bias, stride, pad, groups, residual, activation }))
    }

    pub(crate) fn linear(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let mut weight = self.constant(arg(node, 1)?)?.clone();
        let one = |name| node.attribute(name).is_none_or(|attribute| attribute.f == 1.0);
        if !one("alpha") || !one("beta") || node.int("transA", 0) != 0 {
            return Err("other than input times weights plus bias".to_owned());
        }
        let [rows, columns] = weight.shape[..] else { return Err(format!("weights of shape {:?}", weight.shape)) };
        if node.op_type == "MatMul" || node.int("transB", 0) == 0 {
            let data = (0..rows * columns).map(|i| weight.data[i % rows * columns + i / rows]).collect();
            weight = Array { shape: vec![columns, rows], data };
        }
        let outputs = weight.shape[0];
        let mut bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self.constant(name)?.clone(),
            None => Array { shape: vec![outputs], data: vec![0.0; outputs] },
        };
        if bias.data.len() != outputs {
            return Err(format!("weights of shape {:?} for {} outputs", weight.shape, bias.data.len()));
        }
        let mut input = self.live(arg(node, 0)?)?;
        if let Some((before, norm, index)) = self.norm_before(arg(node, 0)?) {
            norm.fold_before(&mut weight, &mut bias, 1)?;
            self.steps.remove(index);
            input = before;
        }
        let (weight, bias) = (self.store("weight", weight), self.store("bias", bias));
        Ok(self.step(Step::Linear { input, output: output.into(), weight, bias }))
    }

    /// The norm that makes `name`, where nothing else reads that: what it reads, itself, and its place.
    fn norm_before(&self, name: &str) -> Option<(String, Affine, usize)> {
        let index = self.own_step(name)?;
        let Step::Affine { input, scale, shift, activation: Activation::None, .. } = &self.steps[index] else {
            return None;
        };
        Some((input.clone(), self.affine_of(scale, shift)?, index))
    }

    fn affine_of(&self, scale: &str, shift: &str) -> Option<Affine> {
        let wide = |name: &str| Some(self.tensors.get(name)?.data.iter().map(|v| f64::from(*v)).collect());
        Some(Affine { scale: wide(scale)?, shift: wide(shift)? })
    }

    /// `name` scaled and shifted.
    pub(crate) fn affine(&mut self, name: &str, output: &str, affine: &Affine) -> Result<Value, String> {
        match self.own_step(name).map(|index| (index, self.steps[index].clone())) {
            Some((
                _,
                Step::Conv { weight, bias, residual: None, activation: Activation::None, .. }
                | Step::Linear { weight, bias, .. },
            )) => {
                let mut array = self.tensors.remove(&bias).ok_or("its layer has no bias")?;
                affine.fold_after(self.tensors.get_mut(&weight).ok_or("its layer has no weights")?, &mut array)?;
                self.tensors.insert(bias, array);
                return self.renamed(name, output);
            }
            Some((index, Step::Affine { scale, shift, activation: Activation::None, .. })) => {
                if let Some(both) = self.affine_of(&scale, &shift).and_then(|before| before.then(affine)) {
                    let (by, plus) = (self.store("scale", array(&both.scale)), self.store("shift", array(&both.shift)));
                    if let Step::Affine { scale, shift, .. } = &mut self.steps[index] {
                        (*scale, *shift) = (by, plus);
                    }
                    return self.renamed(name, output);
                }
            }
            _ => {}
        }
        let input = self.live(name)?;
        let (scale, shift) = (self.store("scale", array(&affine.scale)), self.store("shift", array(&affine.shift)));
        Ok(self.step(Step::Affine { input, output: output.into(), scale, shift, activation: Activation::None }))
    }

    pub(crate) fn activated(&mut self, name: &str, output: &str, bent: &Activation) -> Result<Value, String> {
        if let Some(index) = self.own_step(name) {
            if self.bend(index, bent) {
                return self.renamed(name, output);
            }
            // What is joined is bent before, where each part can be.
            if let (Step::Concat { inputs, .. }, Activation::Relu) = (self.steps[index].clone(), bent) {
                let makers: Option<Vec<usize>> = inputs.iter().map(|input| self.own_step(input)).collect();
                if let Some(makers) = makers.filter(|makers| makers.iter().all(|maker| self.bends(*maker))) {
                    makers.iter().for_each(|maker| _ = self.bend(*maker, bent));
                    return self.renamed(name, output);
                }
            }
        }
        let input = self.live(name)?;
        let (scale, shift) = (self.store("scale", array(&[1.0])), self.store("shift", array(&[0.0])));
        Ok(self.step(Step::Affine { input, output: output.into(), scale, shift, activation: bent.clone() }))
    }

    /// Whether a step has room for an activation.
    fn bends(&self, index: usize) -> bool {
        use Activation::None;
        matches!(
            &self.steps[index],
            Step::Conv { activation: None, .. }
                | Step::Add { activation: None, .. }
                | Step::Affine { activation: None, .. }
        )
    }

    fn bend(&mut self, index: usize, bent: &Activation) -> bool {
        let is_free = self.bends(index);
        if let Step::Conv { activation, .. } | Step::Add { activation, .. } | Step::Affine { activation, .. } =
            &mut self.steps[index]
            && is_free
        {
            activation.clone_from(bent);
        }
        is_free
    }

    /// A sum, difference, product or quotient: with a constant, or of two values.
    pub(crate) fn combined(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let names = [arg(node, 0)?, arg(node, 1)?];
        for (constant, other) in [(names[1], names[0]), (names[0], names[1])] {
            // Numbers without dimensions for rows and columns are by column, but after a fully connected layer.
            if let Value::Constant(Array { shape, data }) = self.value(constant)?
                && data.len() > 1
                && shape.len() < 3
                && !self.is_row(other)
            {
                return Err(format!("with a constant of shape {shape:?}"));
            }
        }
        match (node.op_type.as_str(), self.value(names[0])?, self.value(names[1])?) {
            (op, _, Value::Constant(array)) => self.affine(names[0], output, &by_constant(op, array)?),
            ("Add" | "Mul", Value::Constant(array), _) => {
                self.affine(names[1], output, &by_constant(&node.op_type, array)?)
            }
            ("Add", Value::Live(large), Value::Doubled(small)) | ("Add", Value::Doubled(small), Value::Live(large)) => {
                let (large, small) = (large.clone(), small.clone());
                Ok(self.step(Step::AddDoubled { large, small, output: output.into() }))
            }
            ("Add", Value::Live(_), Value::Live(_)) => self.added(names, output),
            ("Mul", Value::Live(a), Value::Live(b)) => {
                let (input, by) = match (self.is_pixel(a), self.is_pixel(b)) {
                    (false, true) => (a.clone(), b.clone()),
                    (true, false) => (b.clone(), a.clone()),
                    _ => return Err("of two maps".to_owned()),
                };
                Ok(self.step(Step::ScaleBy { input, by, plus: None, output: output.into() }))
            }
            _ => Err("of other than a value and a constant, or two values".to_owned()),
        }
    }

    /// Whether a name stands for what a fully connected layer makes.
    fn is_row(&self, name: &str) -> bool {
        let Some(Value::Live(value)) = self.values.get(name) else { return false };
        match self.maker(value).map(|index| &self.steps[index]) {
            Some(Step::Linear { .. }) => true,
            Some(Step::Affine { input, .. } | Step::Sigmoid { input, .. }) => self.is_row(input),
            _ => false,
        }
    }

    /// Whether a value is one pixel: made of the mean of all.
    fn is_pixel(&self, value: &str) -> bool {
        match self.maker(value).map(|index| &self.steps[index]) {
            Some(Step::GlobalMean { .. }) => true,
            Some(Step::Conv { input, .. } | Step::Affine { input, .. } | Step::Sigmoid { input, .. }) => {
                self.is_pixel(input)
            }
            _ => false,
        }
    }

    /// The sum of two values: the residual of that of their steps which comes last, where it can take one.
    fn added(&mut self, names: [&str; 2], output: &str) -> Result<Value, String> {
        let [a, b] = [self.live(names[0])?, self.live(names[1])?];
        let [first, second] = [self.maker(&a), self.maker(&b)];
        let (index, name, other) = if first > second { (first, names[0], &b) } else { (second, names[1], &a) };
        if a != b
            && let Some(index) = index.filter(|index| self.own_step(name) == Some(*index))
            && let Step::Conv { residual: plus @ None, activation: Activation::None, .. }
            | Step::ScaleBy { plus: plus @ None, .. } = &mut self.steps[index]
        {
            *plus = Some(other.clone());
            return self.renamed(name, output);
        }
        Ok(self.step(Step::Add { a, b, output: output.into(), activation: Activation::None }))
    }
}

/// An operation with a constant on the right, of one number or one a channel.
fn by_constant(op: &str, constant: &Array) -> Result<Affine, String> {
    // A channel stands third from the end, `(C, 1, 1)`, or alone after a fully connected layer.
    let is_by_channel = match constant.shape[..] {
        [.., channels, 1, 1] => channels == constant.data.len(),
        [channels] | [1, channels] => channels == constant.data.len(),
        _ => false,
    };
    if constant.data.len() != 1 && !is_by_channel {
        return Err(format!("with a constant of shape {:?}", constant.shape));
    }
    let each = |f: &dyn Fn(f64) -> f64| constant.data.iter().map(|v| f(f64::from(*v))).collect::<Vec<_>>();
    let affine = match op {
        "Add" => Affine { scale: each(&|_| 1.0), shift: each(&|v| v) },
        "Sub" => Affine { scale: each(&|_| 1.0), shift: each(&|v| -v) },
        "Mul" => Affine { scale: each(&|v| v), shift: each(&|_| 0.0) },
        _ => Affine { scale: each(&|v| 1.0 / v), shift: each(&|_| 0.0) },
    };
    let is_finite = affine.scale.iter().chain(&affine.shift).all(|v| v.is_finite());
    if is_finite { Ok(affine) } else { Err("with a constant that is no number".to_owned()) }
}

fn array(data: &[f64]) -> Array {
    Array { shape: vec![data.len()], data: data.iter().map(|v| *v as f32).collect() }
}
