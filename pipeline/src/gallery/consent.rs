//! Consent: who agreed to what, shown how, for how long.
//!
//! The record has the fields of ISO/IEC TS 27560:2023 (header, processing, event). It is sealed with the visitor's own key and
//! goes with them; what stays, in the audit log, holds no name. Without a consent the store takes nobody in.

use crate::gallery::visitor::{Custody, VisitorId};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// The longest anybody is kept, whatever is configured.
pub const CEILING: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where somebody agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the enrolment page, by themselves.
    Page,
    /// At a desk, before staff who typed it in (`usher enrol`).
    Desk,
}

/// What somebody agreed to. `Debug` prints the notice's version only.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// The notice's version.
    pub version: String,
    /// SHA-256 of the notice as it was shown, 64 hexadecimal digits.
    pub sha256: String,
    /// The language it was shown in, BCP 47.
    pub language: String,
    /// Who answers for the data.
    pub controller: String,
    /// How they are reached.
    pub contact: String,
    /// The venue.
    pub site: String,
    /// Where it was given.
    pub place: Place,
    /// The parent or guardian who agreed for a minor.
    pub guardian: Option<String>,
}

/// What of the visitor the consent is about.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Who.
    pub visitor: VisitorId,
    /// Whether a template is kept.
    pub face: bool,
    /// Whether crops of the face are kept too.
    pub crops: bool,
    /// Who holds the key.
    pub custody: Custody,
    /// When it was given.
    pub given: SystemTime,
    /// When it ends.
    pub expires: SystemTime,
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consent({}, …)", self.version)
    }
}

impl Consent {
    /// One given at a desk of `site`, before staff who showed the notice of this `version` and hash; the rest is for struct
    /// update syntax.
    pub fn at_desk(site: &str, version: &str, sha256: &str) -> Self {
        Self {
            version: version.to_owned(),
            sha256: sha256.to_owned(),
            language: "en".to_owned(),
            controller: site.to_owned(),
            contact: String::new(),
            site: site.to_owned(),
            place: Place::Desk,
            guardian: None,
        }
    }

    /// The record, in the fields of ISO/IEC TS 27560.
    pub fn record(&self, scope: &Scope) -> Value {
        let mut information = vec![
            json!({ "pii_type": "name to be shown", "special_category": false }),
            json!({ "pii_type": "favourite sport, language and arrival", "special_category": false }),
            // They may tell of health or belief.
            json!({ "pii_type": "wishes about food and ways without steps", "special_category": true }),
        ];
        if scope.face {
            information.push(json!({ "pii_type": "biometric template of the face", "special_category": true }));
        }
        if scope.crops {
            information.push(json!({ "pii_type": "aligned crops of the face", "special_category": true }));
        }
        let kept = match scope.custody {
            Custody::Box => "encrypted on the box at the gate; the box holds the key",
            Custody::Visitor => "encrypted on the box at the gate; the key is in the visitor's pass alone",
        };
        json!({
            "record_metadata": {
                "schema_version": "ISO/IEC TS 27560:2023",
                "record_id": Uuid::new_v4(),
                "pii_principal_id": scope.visitor,
            },
            "pii_processing": {
                "privacy_notice": { "version": self.version, "sha256": self.sha256, "language": self.language },
                "pii_controllers": [{ "name": self.controller, "contact": self.contact }],
                "purposes": [{
                    "purpose": "greeting by name at the gates, with sessions, way and food",
                    "lawful_basis": "explicit consent (GDPR 6(1)(a), 9(2)(a))",
                    "pii_information": information,
                    "recipients": [],
                    "automated_decisions": "none with legal or similar effect",
                }],
                "storage_location": self.site,
                "storage_condition": kept,
                "retention_until": stamp(scope.expires),
                "withdrawal": "by the pass's page or the staff, at any time; erased within seconds",
            },
            "event": {
                "event_time": stamp(scope.given),
                "event_type": "explicit",
                "event_state": "consent given",
                "valid_until": stamp(scope.expires),
                "given_at": match self.place { Place::Page => "enrolment page", Place::Desk => "enrolment desk" },
                "given_by": match &self.guardian {
                    Some(guardian) => json!({ "role": "parent or guardian", "name": guardian }),
                    None => json!({ "role": "the visitor" }),
                },
            },
        })
    }
}

/// What is told of somebody's end: a record, to be signed.
pub(crate) fn erased(visitor: VisitorId, at: SystemTime, why: &str, head: (u64, &str)) -> Value {
    json!({
        "record_metadata": { "schema_version": "ISO/IEC TS 27560:2023", "pii_principal_id": visitor },
        "event": { "event_time": stamp(at), "event_type": why, "event_state": "consent withdrawn, data erased" },
        "audit": { "line": head.0, "hash": head.1 },
    })
}

/// RFC 3339, UTC, whole milliseconds.
fn stamp(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_says_what_is_kept_and_by_whom() {
        let consent = Consent {
            version: "1".into(),
            sha256: "ab".into(),
            language: "fr".into(),
            controller: "North Park".into(),
            contact: "a@b.example".into(),
            site: "north-park".into(),
            place: Place::Page,
            guardian: Some("Ada".into()),
        };
        let scope = Scope {
            visitor: VisitorId(Uuid::from_u128(1)),
            face: true,
            crops: false,
            custody: Custody::Visitor,
            given: SystemTime::UNIX_EPOCH,
            expires: SystemTime::UNIX_EPOCH + Duration::from_secs(3600),
        };
        let record = consent.record(&scope);
        assert_eq!(record["pii_processing"]["retention_until"], "1970-01-01T01:00:00Z");
        assert_eq!(record["pii_processing"]["purposes"][0]["pii_information"].as_array().unwrap().len(), 4);
        assert!(record["pii_processing"]["storage_condition"].as_str().unwrap().contains("pass alone"));
        assert_eq!(record["event"]["given_by"]["name"], "Ada");
        let without = consent.record(&Scope { face: false, ..scope });
        assert_eq!(without["pii_processing"]["purposes"][0]["pii_information"].as_array().unwrap().len(), 3);
    }
}
