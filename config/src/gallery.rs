//! Section `gallery`: the people who asked to be known.

use std::{path::PathBuf, time::Duration};

/// Keys and keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    /// The box key's file (0600). `None`: systemd credential `gallery.key` where there is one, else `DATA/gallery.key`,
    /// made at first use.
    pub key: Option<PathBuf>,
    /// How long a visitor is kept when enrolment names no date. Default 24 h, at most 30 days.
    pub keep: Duration,
}
