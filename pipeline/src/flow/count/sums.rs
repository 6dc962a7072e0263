//! Sums of what was counted: of a day, and of a minute that is open.

/// What was counted at one gate in one day.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) entered: u64,
    pub(super) left: u64,
    pub(super) inside: u64,
}

impl Totals {
    /// Never below zero: whoever leaves without having been seen entering does not make somebody else vanish.
    pub(super) fn add(&mut self, entered: u32, left: u32) {
        self.entered += u64::from(entered);
        self.left += u64::from(left);
        self.inside = (self.inside + u64::from(entered)).saturating_sub(u64::from(left));
    }
}

/// What is counted of one gate in an open minute, and how much of it was handed to the record.
#[derive(Clone, Copy, Default)]
pub(super) struct Open {
    pub(super) entered: u32,
    pub(super) left: u32,
    recorded: (u32, u32),
}

impl Open {
    /// What was not yet recorded; it is from now on.
    pub(super) fn fresh(&mut self) -> (u32, u32) {
        let fresh = (self.entered - self.recorded.0, self.left - self.recorded.1);
        self.recorded = (self.entered, self.left);
        fresh
    }
}
