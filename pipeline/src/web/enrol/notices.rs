//! The notices that were shown, so that what somebody agrees to is what they read.
//!
//! A text names the hour at which everything is erased, and that hour moves while no end of the event is known. Whoever agrees
//! sends the hash of what they read, and is kept until what that text says.

use crate::gallery::notice::{Notice, Offer, Text};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::{Duration, SystemTime},
};

/// How long a shown text may be agreed to.
const GOOD_FOR: Duration = Duration::from_secs(2 * 3600);

/// What a hash stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// In which language.
    pub(super) language: String,
    /// What it offers.
    pub(super) offer: Offer,
    /// Until when it says that things are kept.
    pub(super) until: SystemTime,
    shown: SystemTime,
}

/// The site's notice, and what was shown of it lately.
pub(super) struct Notices {
    /// The notice.
    pub(super) notice: Notice,
    shown: Mutex<HashMap<String, Shown>>,
}

impl Notices {
    pub(super) fn new(notice: Notice) -> Self {
        Self { notice, shown: Mutex::default() }
    }

    /// The texts of an offer, remembered as shown now.
    pub(super) fn show(&self, offer: Offer, until: SystemTime, now: SystemTime) -> BTreeMap<String, Text> {
        let texts = self.notice.texts(offer, until);
        let mut shown = self.shown.lock().expect("no holder of this lock panics");
        shown.retain(|_, text| now.duration_since(text.shown).is_ok_and(|age| age < GOOD_FOR));
        for (language, text) in &texts {
            let entry = Shown { language: language.clone(), offer, until, shown: now };
            shown.insert(text.sha256.clone(), entry);
        }
        texts
    }

    /// What this hash stands for, if it was shown lately.
    pub(super) fn of(&self, sha256: &str, now: SystemTime) -> Option<Shown> {
        let shown = self.shown.lock().expect("no holder of this lock panics");
        let good = |text: &&Shown| now.duration_since(text.shown).is_ok_and(|age| age < GOOD_FOR);
        shown.get(sha256).filter(good).cloned()
    }
}
