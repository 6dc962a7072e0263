//! The reins: what of publishing may change while it is under way.

use crate::publish::outbox::Outbox;
use arc_swap::ArcSwap;
use std::{sync::Arc, time::Duration};
use usher_config::publish::Publish;

/// Held by whoever takes up another configuration.
#[derive(Clone)]
pub struct Reins {
    pub(crate) settings: Arc<ArcSwap<Publish>>,
    pub(crate) outbox: Arc<Outbox>,
}

impl Reins {
    /// From the next visit on these hold: faces, and how long visits are kept; where the broker is and how long greetings stay was told at start. Visits
    /// are remembered for `quiet`, the gates' longest quiet time.
    pub fn take_up(&self, settings: Publish, quiet: Duration) {
        self.settings.store(Arc::new(settings));
        self.outbox.remember(quiet);
    }
}
