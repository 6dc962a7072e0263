//! A deed, and the signed line that tells of it.
//!
//! A line holds no name, template or score: opaque ids, dates, the hash of the notice. Its `hash` is the SHA-256 of the
//! line before (`previous`) and of itself without `hash` and `signature`; the box signs the hash.

use crate::gallery::{
    receipt::{Signer, is_signed},
    visitor::{Custody, VisitorId},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::time::SystemTime;

/// The hash before the first line.
pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why somebody was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// They asked, by their pass.
    Asked,
    /// Staff did it, by page or command.
    Staff,
    /// Their time was over.
    Expired,
    /// They enrolled again.
    Replaced,
    /// Their pass reached nobody: the page had gone before it was made.
    Unclaimed,
    /// The gallery held what no consent in this log speaks for: an older copy was put back.
    Unaccounted,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// The log begins in this file; a file of another number or birth is a copy.
    Begun {
        /// The file's number on its disk.
        inode: u64,
        /// When the file was made, nanoseconds since 1970; 0 where the file system does not tell.
        born: u64,
    },
    /// Somebody agreed to be known.
    Consented {
        /// Who.
        visitor: VisitorId,
        /// SHA-256 of the notice they were shown, hexadecimal.
        notice: String,
        /// Who holds the key.
        custody: Custody,
        /// Whether a template is kept.
        face: bool,
        /// When they must be gone, milliseconds since 1970.
        expires_ms: i64,
    },
    /// Somebody was forgotten: key destroyed, rows erased.
    Forgotten {
        /// Who.
        visitor: VisitorId,
        /// Why.
        why: Why,
    },
    /// An enrolment that was not finished, and of which nothing is kept.
    Unfinished {
        /// Who.
        visitor: VisitorId,
    },
    /// A gate that compares everybody in its opt-in zone with everybody enrolled was started.
    Identification {
        /// The gate.
        gate: String,
        /// Who answers for it.
        responsible: String,
    },
    /// Staff said how many lanes of a gate are open. Nobody's name: who had signed in is not known beyond that.
    Lanes {
        /// The gate.
        gate: String,
        /// Lanes that are open from then on.
        open: u32,
        /// Who said so.
        by: crate::flow::lanes::By,
    },
    /// The time floor, which a wrong clock had raised, was brought down to the clock; nobody was in the gallery. Lines after
    /// this one may be earlier than lines before it.
    FloorLowered {
        /// Where it was, milliseconds since 1970.
        from_ms: i64,
        /// Where it is now, milliseconds since 1970.
        to_ms: i64,
        /// Who asked for it.
        by: String,
    },
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// From 1, without gaps.
    pub seq: u64,
    /// When, RFC 3339, by the box's clock and never before the line before, unless the floor was lowered.
    pub at: jiff::Timestamp,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
    /// Hash of the line before.
    pub previous: String,
    /// Hash of this one.
    pub hash: String,
    /// The box's signature of the hash.
    pub signature: String,
}

/// What is hashed.
#[derive(Serialize)]
struct Hashed<'a> {
    seq: u64,
    at: jiff::Timestamp,
    #[serde(flatten)]
    deed: &'a Deed,
    previous: &'a str,
}

/// Why a line does not follow from the one before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// No line of this log at all.
    #[error("line {0} cannot be read")]
    Unreadable(u64),
    /// A line is missing or was put in.
    #[error("line {0} does not follow the line before it: lines are missing, or were put in")]
    Gap(u64),
    /// It was changed.
    #[error("line {0} was changed after it was written")]
    Changed(u64),
    /// Somebody else wrote it.
    #[error("line {0} is not signed by this box")]
    Signature(u64),
}

impl Line {
    /// The line after `seq - 1`, whose hash is `previous`.
    pub(crate) fn new(seq: u64, at: SystemTime, deed: Deed, previous: &str, signer: &Signer) -> Self {
        let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        // To the millisecond: what is written is what is read again.
        let at = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let hash = hash(seq, at, &deed, previous);
        let signature = signer.sign(hash.as_bytes());
        Self { seq, at, deed, previous: previous.to_owned(), hash, signature }
    }

    /// Whether it follows a line of this number and hash, unchanged and signed with this public key.
    ///
    /// # Errors
    /// How it does not.
    pub fn check(&self, seq: u64, previous: &str, public: &str) -> Result<(), Broken> {
        self.follows(seq, previous)?;
        self.is_signed_by(public)
    }

    /// Whether it has the box's signature. That of one line speaks for every line before it, since its hash holds theirs.
    ///
    /// # Errors
    /// [`Broken::Signature`].
    pub fn is_signed_by(&self, public: &str) -> Result<(), Broken> {
        let is_ours = is_signed(public, self.hash.as_bytes(), &self.signature);
        is_ours.then_some(()).ok_or(Broken::Signature(self.seq))
    }

    /// Whether it follows a line of this number and hash, unchanged.
    ///
    /// # Errors
    /// How it does not.
    pub fn follows(&self, seq: u64, previous: &str) -> Result<(), Broken> {
        if self.seq != seq || self.previous != previous {
            return Err(Broken::Gap(seq));
        }
        if self.hash != hash(self.seq, self.at, &self.deed, &self.previous) {
            return Err(Broken::Changed(seq));
        }
        Ok(())
    }
}

fn hash(seq: u64, at: jiff::Timestamp, deed: &Deed, previous: &str) -> String {
    let text = serde_json::to_vec(&Hashed { seq, at, deed, previous }).expect("texts and numbers are JSON");
    HEXLOWER.encode(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::key::BoxKey;
    use uuid::Uuid;

    #[test]
    fn a_line_is_read_as_it_was_written_and_any_change_shows() {
        let signer = Signer::of(&BoxKey::random());
        let deed = Deed::Consented {
            visitor: VisitorId(Uuid::from_u128(7)),
            notice: NOTHING.to_owned(),
            custody: Custody::Visitor,
            face: true,
            expires_ms: 1_800_000_000_000,
        };
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(1_790_000_000_123_456_789);
        let line = Line::new(3, at, deed, NOTHING, &signer);
        let text = serde_json::to_string(&line).unwrap();
        let read: Line = serde_json::from_str(&text).unwrap();
        assert_eq!(read, line);
        assert_eq!(read.check(3, NOTHING, signer.public()), Ok(()));
        assert_eq!(read.check(4, NOTHING, signer.public()), Err(Broken::Gap(4)));
        assert_eq!(read.check(3, &line.hash, signer.public()), Err(Broken::Gap(3)));
        let other = Signer::of(&BoxKey::random());
        assert_eq!(read.check(3, NOTHING, other.public()), Err(Broken::Signature(3)));
        for (from, to) in
            [("visitor\"", "box\""), ("1800000000000", "1800000000001"), ("2026", "2027"), ("true", "false")]
        {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            if let Ok(changed) = serde_json::from_str::<Line>(&changed) {
                assert_eq!(changed.check(3, NOTHING, signer.public()), Err(Broken::Changed(3)), "{from}");
            }
        }
    }
}
