//! The heads of a detector.
//!
//! 1×1 convolutions of one value, of few channels each, whose outputs leave: as they are, or after a depthwise one. Each
//! would fill a block badly; together they are one.

use crate::{
    net::Step,
    plan::{convs::Conv, lower::Lowering},
};

impl Lowering<'_> {
    /// The steps of the 1×1s that are one with step `index`; itself alone where it is no head.
    pub(super) fn siblings(&self, index: usize) -> Vec<usize> {
        let steps = &self.description.steps;
        let [input] = steps[index].inputs()[..] else { return vec![index] };
        let is_followed = self.follower(index).is_some();
        let is_head = |step: &usize| {
            matches!(steps[*step], Step::Conv { .. })
                && steps[*step].inputs() == [input]
                && !self.joined[*step]
                && if is_followed { self.follower(*step).is_some() } else { self.is_leaf(*step) }
        };
        if !is_head(&index) {
            return vec![index];
        }
        (index..steps.len()).filter(is_head).collect()
    }

    /// A convolution 1×1 of stride 1.
    fn mix(&self, index: usize) -> Option<Conv> {
        let is_mix = |conv: &Conv| (conv.kernel, conv.stride, conv.pad, conv.groups) == (1, 1, 0, 1);
        self.conv(index).filter(|conv| is_mix(conv) && conv.residual.is_none())
    }

    /// Whether step `index` is a 1×1 whose output only leaves.
    fn is_leaf(&self, index: usize) -> bool {
        let readers = self.readers(self.description.steps[index].output());
        self.mix(index).is_some() && readers.iter().all(|reader| self.is_ending(*reader))
    }

    /// The depthwise step of stride 1 that alone reads what step `index`, a 1×1, makes, where its own output only leaves.
    fn follower(&self, index: usize) -> Option<usize> {
        let steps = &self.description.steps;
        let conv = self.mix(index)?;
        let made = steps[index].output();
        let [follower] = self.readers(made)[..] else { return None };
        // One channel has one group: depthwise and dense are the same then.
        let next = self.conv(follower).filter(|next| {
            (next.groups, next.inputs, next.kernel, next.pad, next.stride) == (conv.outputs(), 1, 3, 1, 1)
                && next.residual.is_none()
        });
        let only_leaves = self.readers(steps[follower].output()).iter().all(|reader| self.is_ending(*reader));
        (next.is_some() && !self.leaves(made) && only_leaves).then_some(follower)
    }

    pub(super) fn heads(&mut self, siblings: &[usize]) -> Option<()> {
        let steps = &self.description.steps;
        let from = self.blocked(steps[*siblings.first()?].inputs().first()?)?;
        let (mut mixing, mut filtering): (Option<Conv>, Option<Conv>) = (None, None);
        let mut channels = Vec::new();
        for step in siblings {
            let follower = self.follower(*step);
            let (mix, filter) = (self.conv(*step)?, follower.and_then(|follower| self.conv(follower)));
            channels.push((steps[follower.unwrap_or(*step)].output(), mix.outputs()));
            match &mut mixing {
                Some(mixing) => mixing.join(&mix),
                None => mixing = Some(mix),
            }
            match (&mut filtering, filter) {
                (Some(filtering), Some(filter)) => filtering.join(&filter),
                (filtering, filter) => *filtering = filter,
            }
            for done in std::iter::once(*step).chain(follower) {
                self.joined[done] = true;
            }
        }
        let mut made = self.place(&mixing?, from, None)?;
        if let Some(mut filtering) = filtering {
            filtering.groups = filtering.outputs();
            made = self.place(&filtering, made, None)?;
        }
        let mut first = 0;
        for (name, count) in channels {
            self.places.insert(name, (made, first, count));
            first += count;
        }
        Some(())
    }
}
