//! A convolution of a description with its tensors, before it is packed; and those that are one layer.
//!
//! The heads of a detector are small convolutions of one value, of few channels each. Each by itself would fill a block of
//! channels badly, or be a launch of next to no work; side by side they are one.

use crate::{kernels::epilogue::Epilogue, net::Step, source::Source};

/// A convolution with its tensors.
#[derive(Clone, Debug)]
pub(crate) struct Conv<'a> {
    /// `(outputs, inputs, kernel, kernel)`.
    pub(crate) weight: Vec<f32>,
    /// Of one group.
    pub(crate) inputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) pad: usize,
    pub(crate) groups: usize,
    /// The value added before the activation.
    pub(crate) residual: Option<&'a str>,
    pub(crate) epilogue: Epilogue,
}

impl Conv<'_> {
    pub(crate) fn outputs(&self) -> usize {
        self.epilogue.bias.len()
    }

    /// Kernel, stride and padding.
    pub(crate) fn window(&self) -> (usize, usize, usize) {
        (self.kernel, self.stride, self.pad)
    }

    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.outputs() && self.inputs == 1
    }

    /// The same without residual and activation, and what negative sums are multiplied by: for a kernel that cannot add on
    /// its way, a sum of its own follows.
    pub(crate) fn straight(&self) -> (Self, Vec<f32>) {
        let mut straight = Self { residual: None, ..self.clone() };
        let slope = std::mem::replace(&mut straight.epilogue.slope, vec![1.0; self.outputs()]);
        (straight, slope)
    }

    /// Both side by side: two of one input, or two filters of values that lie side by side themselves.
    fn join(&mut self, other: &Self) {
        self.weight.extend_from_slice(&other.weight);
        self.epilogue.bias.extend_from_slice(&other.epilogue.bias);
        self.epilogue.slope.extend_from_slice(&other.epilogue.slope);
    }
}

/// The heads of a detector as one layer, or two.
pub(crate) struct Heads<'a> {
    /// The value that they read.
    pub(crate) input: &'a str,
    /// 1×1.
    pub(crate) mix: Conv<'a>,
    /// Depthwise, of what `mix` makes.
    pub(crate) filter: Option<Conv<'a>>,
    /// The values made, side by side, and the channels of each.
    pub(crate) made: Vec<(&'a str, usize)>,
    /// The steps that are done with them.
    pub(crate) steps: Vec<usize>,
}

impl<'a> Heads<'a> {
    /// Where each value made stands in `value`, which holds all of them: value, first channel, channels.
    pub(crate) fn places(&self, value: usize) -> impl Iterator<Item = (&'a str, (usize, usize, usize))> {
        let mut first = 0;
        self.made.iter().map(move |(name, count)| {
            first += count;
            (*name, (value, first - count, *count))
        })
    }
}

impl<'a> Source<'a> {
    /// The convolution of a step; `None` where it is none, or its tensors do not fit.
    pub(crate) fn conv(&self, step: usize) -> Option<Conv<'a>> {
        let Step::Conv { weight, bias, stride, pad, groups, residual, activation, .. } = &self.description.steps[step]
        else {
            return None;
        };
        let (shape, weight) = self.tensors.get(weight)?;
        let [outputs, inputs, kernel, across] = shape[..] else { return None };
        let bias = self.tensors.get(bias)?.1.clone();
        let slope = self.slope(activation, outputs)?;
        let fits = kernel == across && bias.len() == outputs && *stride > 0 && *groups > 0;
        let (stride, pad, groups, residual) = (*stride, *pad, *groups, residual.as_deref());
        let epilogue = Epilogue { bias, slope };
        fits.then(|| Conv { weight: weight.clone(), inputs, kernel, stride, pad, groups, residual, epilogue })
    }

    /// The heads that begin with step `index`: 1×1 convolutions of one value whose outputs only leave, or are each read by
    /// a depthwise one whose output does. `None` where there are not two at least.
    pub(crate) fn heads(&self, index: usize) -> Option<Heads<'a>> {
        let steps = &self.description.steps;
        let [input] = steps[index].inputs()[..] else { return None };
        let is_followed = self.follower(index).is_some();
        let is_head = |step: &usize| {
            steps[*step].inputs() == [input]
                && if is_followed { self.follower(*step).is_some() } else { self.is_leaf(*step) }
        };
        if !is_head(&index) {
            return None;
        }
        let siblings: Vec<usize> = (index..steps.len()).filter(is_head).collect();
        let [first, others @ ..] = &siblings[..] else { return None };
        let pair = |step: usize| {
            let follower = self.follower(step);
            let filter = follower.map(|follower| self.conv(follower));
            let filter = if let Some(filter) = filter { Some(filter?) } else { None };
            let mix = self.conv(step)?;
            let made = (steps[follower.unwrap_or(step)].output(), mix.outputs());
            Some((mix, filter, made, std::iter::once(step).chain(follower)))
        };
        let (mix, filter, made, done) = pair(*first)?;
        let mut heads = Heads { input, mix, filter, made: vec![made], steps: done.collect() };
        for step in others {
            let (mix, filter, made, done) = pair(*step)?;
            heads.mix.join(&mix);
            if let (Some(joined), Some(filter)) = (&mut heads.filter, filter) {
                joined.join(&filter);
                joined.groups = joined.outputs();
            }
            heads.made.push(made);
            heads.steps.extend(done);
        }
        (heads.made.len() > 1).then_some(heads)
    }

    /// The depthwise step of stride 1 that alone reads what step `index`, a 1×1, makes, where its own output only leaves.
    fn follower(&self, index: usize) -> Option<usize> {
        let steps = &self.description.steps;
        let channels = self.mixes(index)?;
        let made = steps[index].output();
        let [follower] = self.readers(made)[..] else { return None };
        let Step::Conv { weight, stride: 1, pad: 1, groups, residual: None, .. } = &steps[follower] else {
            return None;
        };
        // One channel has one group: depthwise and dense are the same then.
        let is_filter = *groups == channels && self.tensors.get(weight)?.0 == [channels, 1, 3, 3];
        (is_filter && !self.leaves(made) && self.only_leaves(follower)).then_some(follower)
    }

    /// Whether step `index` is a 1×1 whose output only leaves.
    fn is_leaf(&self, index: usize) -> bool {
        self.mixes(index).is_some() && self.only_leaves(index)
    }

    /// Whether nobody reads what a step makes but on its way out.
    fn only_leaves(&self, index: usize) -> bool {
        let readers = self.readers(self.description.steps[index].output());
        readers.iter().all(|reader| self.ending(*reader).is_some())
    }

    /// The outputs of step `index` where it is a convolution 1×1 of stride 1.
    fn mixes(&self, index: usize) -> Option<usize> {
        let Step::Conv { weight, stride: 1, pad: 0, groups: 1, residual: None, .. } = &self.description.steps[index]
        else {
            return None;
        };
        let [outputs, _, 1, 1] = self.tensors.get(weight)?.0[..] else { return None };
        Some(outputs)
    }
}
