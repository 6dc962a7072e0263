//! Planted bugs: faulty parts of the simulator's own making, by which it shows that it would find such.
//!
//! None of it is in the product: each is a disk, a memory or a camera's course of the simulator that does what the product's
//! must not.

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Plant {
    /// The disk says that a visit is stored, and stores it half a second later.
    SaidBeforeStored,
    /// The quiet time is forgotten when usher starts again.
    QuietForgotten,
    /// Whoever is forgotten stays in a stage's own copy of the gallery.
    ForgottenCached,
    /// A full outbox gives its oldest rows up.
    DropsOldest,
    /// A visit that is sent again has a new id.
    NewIdAgain,
    /// A camera that was lost twice is not opened again.
    NeverRetried,
}

impl Plant {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::SaidBeforeStored,
        Self::QuietForgotten,
        Self::ForgottenCached,
        Self::DropsOldest,
        Self::NewIdAgain,
        Self::NeverRetried,
    ];

    /// As `--plant` takes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SaidBeforeStored => "said-before-stored",
            Self::QuietForgotten => "quiet-forgotten",
            Self::ForgottenCached => "forgotten-cached",
            Self::DropsOldest => "drops-oldest",
            Self::NewIdAgain => "new-id-again",
            Self::NeverRetried => "never-retried",
        }
    }
}
