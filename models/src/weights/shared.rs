//! Steps that are computed twice.
//!
//! Exporters write a layer that a network uses in two places as often as it is used, each with its own copy of the
//! weights. Where both read the same value they make the same numbers: one is enough.

use crate::{
    net::{Activation, Step},
    weights::fold::Array,
};
use std::collections::{HashMap, HashSet};

/// Takes out every convolution that repeats an earlier one, its readers read the earlier one's value. What leaves the
/// network stays.
pub(crate) fn without_repeats(steps: &mut Vec<Step>, tensors: &mut HashMap<String, Array>, outputs: &[String]) {
    let mut index = 0;
    while index < steps.len() {
        let found = (0..index).find(|earlier| is_same(&steps[*earlier], &steps[index], tensors));
        let leaves = outputs.iter().any(|output| output == steps[index].output());
        let Some(earlier) = found.filter(|_| !leaves) else {
            index += 1;
            continue;
        };
        let removed = steps.remove(index);
        let kept = steps[earlier].output().to_owned();
        for step in steps.iter_mut().skip(index) {
            let read = step.inputs_mut().into_iter().filter(|name| *name == removed.output());
            read.for_each(|name| name.clone_from(&kept));
        }
    }
    let used: HashSet<&str> = steps.iter().flat_map(constants).collect();
    tensors.retain(|name, _| used.contains(name.as_str()));
}

/// The tensors that a step names.
fn constants(step: &Step) -> Vec<&str> {
    let (mut names, activation) = match step {
        Step::Conv { weight, bias, activation, .. } => (vec![weight.as_str(), bias], Some(activation)),
        Step::Linear { weight, bias, .. } => (vec![weight.as_str(), bias], None),
        Step::Affine { scale, shift, activation, .. } => (vec![scale.as_str(), shift], Some(activation)),
        Step::Add { activation, .. } => (Vec::new(), Some(activation)),
        Step::HalveByMax { .. }
        | Step::AddDoubled { .. }
        | Step::Concat { .. }
        | Step::GlobalMean { .. }
        | Step::ScaleBy { .. }
        | Step::Sigmoid { .. }
        | Step::Softmax { .. } => (Vec::new(), None),
    };
    if let Some(Activation::Prelu(slope)) = activation {
        names.push(slope);
    }
    names
}

/// Whether both are convolutions of the same value with the same numbers.
fn is_same(a: &Step, b: &Step, tensors: &HashMap<String, Array>) -> bool {
    let (Step::Conv { .. }, Step::Conv { .. }) = (a, b) else { return false };
    if a.inputs() != b.inputs() {
        return false;
    }
    let settings = |step: &Step| match step {
        Step::Conv { stride, pad, groups, activation, .. } => Some((*stride, *pad, *groups, kind(activation))),
        _ => None,
    };
    let numbers = |step| constants(step).into_iter().map(|name| tensors.get(name)).collect::<Vec<_>>();
    settings(a) == settings(b) && numbers(a) == numbers(b)
}

/// An activation without its numbers.
fn kind(activation: &Activation) -> u8 {
    match activation {
        Activation::None => 0,
        Activation::Relu => 1,
        Activation::Prelu(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(input: &str, output: &str, weight: &str) -> Step {
        Step::Conv {
            input: input.into(),
            output: output.into(),
            weight: weight.into(),
            bias: "b".into(),
            stride: 1,
            pad: 0,
            groups: 1,
            residual: None,
            activation: Activation::None,
        }
    }

    #[test]
    fn what_repeats_is_computed_once_and_what_leaves_stays() {
        let array = |v: f32| Array { shape: vec![1, 1, 1, 1], data: vec![v] };
        let mut tensors = HashMap::from(
            [("w", 1.0), ("copy", 1.0), ("other", 2.0), ("b", 0.0)].map(|(n, v)| (n.to_owned(), array(v))),
        );
        let mut steps = vec![
            conv("in", "a", "w"),
            conv("in", "again", "copy"),
            conv("in", "different", "other"),
            conv("again", "twice", "w"),
            conv("in", "leaves", "copy"),
        ];
        without_repeats(&mut steps, &mut tensors, &["twice".to_owned(), "leaves".to_owned()]);
        let left: Vec<(&str, &str)> = steps.iter().map(|step| (step.inputs()[0], step.output())).collect();
        assert_eq!(left, [("in", "a"), ("in", "different"), ("a", "twice"), ("in", "leaves")]);
        steps.pop();
        without_repeats(&mut steps, &mut tensors, &["twice".to_owned()]);
        assert!(!tensors.contains_key("copy") && tensors.contains_key("w"));
    }
}
