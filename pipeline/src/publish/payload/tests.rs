//! Times, and what is never shown.

use super::*;
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn times_are_rfc_3339_in_utc_with_milliseconds() {
    assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(1_785_085_380_125)), "2026-07-26T17:03:00.125Z");
    assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
}

#[test]
fn debug_of_a_greeting_prints_no_name() {
    let greeting = Greeting {
        visit: Uuid::nil(),
        gate: Name::new("north").unwrap(),
        name: "Ada Lovelace".into(),
        sport: "rowing".into(),
        sessions: vec![],
        language: None,
        party: None,
        day: None,
        take: None,
        expires_at: rfc3339(UNIX_EPOCH),
        face_topic: None,
    };
    assert!(!format!("{greeting:?}").contains("Ada"));
}
