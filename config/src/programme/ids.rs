//! Ids of sessions that were given none.

use crate::programme::written::{WrittenSession, folded};
use std::collections::{HashMap, HashSet};

/// The id of each session, in order: the one given, else sport, discipline and title.
///
/// Those are what stays when a session is delayed or moved, so a screen that showed it knows it again. Where they recur,
/// the second is numbered 2 and so on, in the file's order; who sorts such sessions by time gives them ids.
pub(crate) fn of(sessions: &[WrittenSession]) -> Vec<String> {
    let given = |session: &WrittenSession| session.id.as_deref().map(|id| id.trim().to_owned());
    let mut taken: HashSet<String> = sessions.iter().filter_map(given).collect();
    let mut counts = HashMap::new();
    let mut made = |session: &WrittenSession| {
        let parts = [Some(&session.sport), session.discipline.as_ref(), Some(&session.title)];
        let base = parts.into_iter().flatten().map(|part| folded(part)).collect::<Vec<_>>().join("/");
        let count = counts.entry(base.clone()).or_insert(0_usize);
        loop {
            *count += 1;
            let id = if *count == 1 { base.clone() } else { format!("{base}/{count}") };
            if taken.insert(id.clone()) {
                return id;
            }
        }
    };
    sessions.iter().map(|session| given(session).unwrap_or_else(|| made(session))).collect()
}

#[cfg(test)]
mod tests {
    use crate::programme::from_text;

    /// The ids of sessions written as flow maps.
    fn ids(sessions: &[&str]) -> Vec<String> {
        let text: String = sessions.iter().map(|session| format!("  - {{ {session} }}\n")).collect();
        let programme = from_text(&format!("time_zone: UTC\nsessions:\n{text}"), "a.yaml").unwrap();
        programme.sessions.into_iter().map(|session| session.id).collect()
    }

    const HEATS: &str =
        "sport: Rowing, title: Heats, venue: Lake, place: A, start: 2026-07-14 10:00, end: 2026-07-14 11:00";

    #[test]
    fn an_id_stays_when_time_venue_place_gate_and_status_change() {
        let moved = "sport: ROWING, title: ' Heats', venue: River, gate: gate-b, status: moved, \
                     start: 2026-07-15 9:00, end: 2026-07-15 9:30";
        assert_eq!(ids(&[HEATS]), ["rowing/heats"]);
        assert_eq!(ids(&[moved]), ids(&[HEATS]));
    }

    #[test]
    fn recurring_titles_are_numbered_and_never_take_an_id_that_was_given() {
        let later = HEATS.replace("07-14", "07-15");
        let given = format!("id: rowing/heats/2, {}", HEATS.replace("07-14", "07-16"));
        let four = format!("discipline: Four, {}", HEATS.replace("07-14", "07-17"));
        let made = ids(&[HEATS, &later, &given, &HEATS.replace("07-14", "07-18"), &four]);
        assert_eq!(made, ["rowing/heats", "rowing/heats/3", "rowing/heats/2", "rowing/heats/4", "rowing/four/heats"]);
    }
}
