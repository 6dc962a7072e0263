//! Operators that move numbers without computing any: shapes, transpositions, joins.
//!
//! A graph made for pictures of any size computes shapes while it runs. What they are needed for here is little: how many
//! numbers a row of an output has, and that a map is scaled to twice its size.

use crate::{
    net::Step,
    weights::{
        onnx::Node,
        recognise::{Reader, Value, arg},
    },
};

impl Reader {
    /// Whole numbers, where an operator makes some of a shape.
    pub(crate) fn sizes(&self, node: &Node) -> Result<Value, String> {
        let read = self.value(arg(node, 0)?)?;
        if node.op_type == "Shape" {
            return match read {
                Value::Constant(array) => Ok(Value::Sizes(array.shape.iter().map(|dim| Some(*dim as i64)).collect())),
                // Nothing that is live here has more than four dimensions, and none of them is known.
                _ => Ok(Value::Sizes(vec![None; 4])),
            };
        }
        let Value::Sizes(sizes) = read else {
            return match (node.op_type.as_str(), read) {
                ("Cast" | "Squeeze" | "Unsqueeze", Value::Constant(array)) => Ok(Value::Constant(array.clone())),
                _ => Err("of something other than a shape".to_owned()),
            };
        };
        let at = |number: f32| (if number < 0.0 { number + sizes.len() as f32 } else { number }) as usize;
        Ok(Value::Sizes(match node.op_type.as_str() {
            "Gather" => {
                let indices = &self.constant(arg(node, 1)?)?.data;
                indices.iter().map(|index| sizes.get(at(*index)).copied().flatten()).collect()
            }
            "Slice" => {
                let [start, end] = [1, 2].map(|index| Some(*self.constant(arg(node, index).ok()?).ok()?.data.first()?));
                let (Some(start), Some(end)) = (start, end) else { return Err("without constant ends".to_owned()) };
                sizes.get(at(start)..at(end).min(sizes.len())).ok_or("ends outside the shape")?.to_vec()
            }
            _ => sizes.clone(),
        }))
    }

    /// Numbers of a constant or of a shape.
    fn whole_numbers(&self, name: &str) -> Result<Vec<Option<i64>>, String> {
        match self.value(name)? {
            Value::Constant(array) => Ok(array.data.iter().map(|v| Some(*v as i64)).collect()),
            Value::Sizes(sizes) => Ok(sizes.clone()),
            _ => Err(format!("{name} is no shape")),
        }
    }

    pub(crate) fn reshaped(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let (name, shape) = (arg(node, 0)?, self.whole_numbers(arg(node, 1)?)?);
        match self.value(name)? {
            Value::Constant(array) => Ok(Value::Constant(array.reshaped(&self.constant(arg(node, 1)?)?.data)?)),
            Value::Rows(parts, _) => {
                let row = shape.last().copied().flatten().and_then(|row| usize::try_from(row).ok());
                let parts = parts.clone();
                self.rows_renamed(name, output, parts, row.filter(|row| *row > 0))
            }
            _ => self.renamed(name, output),
        }
    }

    pub(crate) fn transposed(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        // Exporters for single pictures put the batch where it makes no difference.
        if !matches!(node.ints("perm"), Some([0, 2, 3, 1] | [2, 3, 0, 1])) {
            return Err("other than channels to the end".to_owned());
        }
        match self.renamed(arg(node, 0)?, output)? {
            Value::Live(value) => Ok(Value::Rows(vec![value], None)),
            _ => Err("of something other than a map".to_owned()),
        }
    }

    /// Rows of one map under another name, where the step that makes it is free to take it.
    fn rows_renamed(
        &mut self,
        name: &str,
        output: &str,
        mut parts: Vec<String>,
        row: Option<usize>,
    ) -> Result<Value, String> {
        if let [part] = &mut parts[..]
            && part == name
            && self.reads(name) == 1
            && let Some(index) = self.maker(name)
        {
            output.clone_into(self.steps[index].output_mut());
            output.clone_into(part);
        }
        Ok(Value::Rows(parts, row))
    }

    pub(crate) fn joined(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let values: Vec<&Value> = node.input.iter().map(|name| self.value(name)).collect::<Result<_, _>>()?;
        if values.iter().all(|value| matches!(value, Value::Constant(_) | Value::Sizes(_))) {
            let sizes = node.input.iter().map(|name| self.whole_numbers(name)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Value::Sizes(sizes.concat()));
        }
        if node.int("axis", 1) != 1 {
            return Err("along other than channels or rows".to_owned());
        }
        let mut rows: Option<(Vec<String>, Option<usize>)> = None;
        for value in &values {
            let Value::Rows(parts, row) = value else { continue };
            let (all, of_all) = rows.get_or_insert_with(|| (Vec::new(), *row));
            if of_all != row {
                return Err("rows of different lengths".to_owned());
            }
            all.extend_from_slice(parts);
        }
        if let Some((parts, row)) = rows {
            let is_all = values.iter().all(|value| matches!(value, Value::Rows(..)));
            return if is_all { Ok(Value::Rows(parts, row)) } else { Err("of rows and maps".to_owned()) };
        }
        let inputs = node.input.iter().map(|name| self.live(name)).collect::<Result<_, _>>()?;
        Ok(self.step(Step::Concat { inputs, output: output.into() }))
    }

    /// A map scaled to twice its size. A graph that computes the size of another map to scale to is taken at its word: maps
    /// of a pyramid are halves of each other where sides are multiples of 32, and where they are not, the sum that follows
    /// is refused when the network is run.
    pub(crate) fn doubled(&self, node: &Node) -> Result<Value, String> {
        let text = |name: &str, default: &'static [u8]| node.attribute(name).map_or(default, |attribute| &attribute.s);
        let scales = node.input.get(if node.op_type == "Upsample" { 1 } else { 2 }).filter(|name| !name.is_empty());
        let scales = scales.map(|name| self.constant(name)).transpose()?;
        let is_double = match (scales, node.input.get(3)) {
            (Some(scales), _) if !scales.data.is_empty() => scales.data == [1.0, 1.0, 2.0, 2.0],
            (_, Some(sizes)) => matches!(self.value(sizes)?, Value::Sizes(sizes) if sizes.len() == 4),
            _ => false,
        };
        let is_nearest = text("mode", b"nearest") == b"nearest" && text("nearest_mode", b"floor") == b"floor";
        let is_plain =
            node.op_type == "Upsample" || text("coordinate_transformation_mode", b"half_pixel") == b"asymmetric";
        if !is_double || !is_nearest || !is_plain {
            return Err("other than doubling of pixels".to_owned());
        }
        Ok(Value::Doubled(self.live(arg(node, 0)?)?))
    }

    /// The mean of each 2×2 pixels. What an odd row or column at the end would come to does not matter: maps of a pyramid
    /// have none where sides are multiples of 32.
    pub(crate) fn averaged(&self, node: &Node) -> Result<Value, String> {
        let is_half = node.ints("kernel_shape") == Some(&[2, 2]) && node.ints("strides") == Some(&[2, 2]);
        if !is_half || node.ints("pads").is_some_and(|pads| pads.iter().any(|pad| *pad != 0)) {
            return Err("other than 2×2, stride 2, no padding".to_owned());
        }
        Ok(Value::Averaged(self.live(arg(node, 0)?)?))
    }

    /// Over the last axis of rows: over runs of channels of the maps that they are.
    pub(crate) fn softmax(&mut self, node: &Node, output: &str) -> Result<Value, String> {
        let Value::Rows(parts, Some(classes)) = self.value(arg(node, 0)?)?.clone() else {
            return Err("of other than rows of known length".to_owned());
        };
        if ![-1, 2].contains(&node.int("axis", -1)) {
            return Err("along other than the last axis".to_owned());
        }
        let made = |index: usize| if parts.len() == 1 { output.to_owned() } else { format!("{output}/{index}") };
        let steps = parts.iter().enumerate();
        let made: Vec<String> = steps
            .map(|(index, part)| {
                let (input, output) = (part.clone(), made(index));
                self.steps.push(Step::Softmax { input, output: output.clone(), classes });
                output
            })
            .collect();
        Ok(Value::Rows(made, Some(classes)))
    }

    pub(crate) fn sigmoid(&mut self, name: &str, output: &str) -> Result<Value, String> {
        if let Value::Rows(parts, row) = self.value(name)?.clone() {
            let [input] = &parts[..] else { return Err("of several maps".to_owned()) };
            let (input, made) = (input.clone(), output.to_owned());
            self.steps.push(Step::Sigmoid { input, output: made.clone() });
            return Ok(Value::Rows(vec![made], row));
        }
        let input = self.live(name)?;
        Ok(self.step(Step::Sigmoid { input, output: output.into() }))
    }
}
