//! What must hold between the values of a programme.

use crate::{
    document::{Checks, tree::Node},
    programme::Moment,
    text::Textual,
};
use jiff::{
    ToSpan,
    civil::{DateTime, Time},
};
use std::collections::HashMap;

/// A session's time as one or several intervals of a week or of the calendar.
enum Times {
    Once(DateTime, DateTime),
    /// Days of the week, Monday 0, as bits.
    Weekly(u8, Time, Time),
}

/// End after start, days where there is no date, no two sessions in one place at one time.
pub(crate) fn check(checks: &mut Checks<'_>) {
    let Some(sessions) = checks.root.entry("sessions") else { return };
    let mut places: HashMap<(String, String), Vec<(usize, Times)>> = HashMap::new();
    for (index, session) in sessions.value.items().iter().enumerate() {
        let Some(times) = times(checks, session, index) else { continue };
        let word = |key: &str| Some(session.get(key)?.text()?.trim().to_lowercase());
        let Some(place) = word("venue").zip(word("place")) else { continue };
        let others = places.entry(place).or_default();
        if let Some((other, _)) = others.iter().find(|(_, other)| overlap(other, &times)) {
            let first = &sessions.value.items()[*other];
            let title = first.get("title").and_then(Node::text).unwrap_or("another one");
            let place = session.get("place").and_then(Node::text).unwrap_or_default();
            let span =
                session.entry("start").map_or(session.span.start..session.span.start, |start| start.value.span.clone());
            let message = format!("this session overlaps `{title}` in the same place, `{place}`");
            let mend = "mend the times, or name the two places apart";
            checks.find(span, format!("sessions[{index}].start"), message, mend);
        }
        others.push((index, times));
    }
}

/// The session's time, where its keys make one; says what is wrong between them.
fn times(checks: &mut Checks<'_>, session: &Node, index: usize) -> Option<Times> {
    let moment = |key: &str| {
        let entry = session.entry(key)?;
        Some((entry, Moment::read(entry.value.text()?).ok()?))
    };
    let (start_entry, start) = moment("start")?;
    let (end_entry, end) = moment("end")?;
    let days = session.entry("days").filter(|days| session.get(&days.key).is_some());
    let path = |key: &str| format!("sessions[{index}].{key}");
    match (start, end) {
        (Moment::Dated(from), Moment::Dated(to)) => {
            if let Some(days) = days {
                let mend = "remove `days`, or write `start` and `end` as times of day, such as `10:00`";
                checks.find(days.key_span.clone(), path("days"), "the session has a date and repeats as well", mend);
                return None;
            }
            let wrong = if to <= from {
                Some("is not after its start")
            } else {
                (to > from.saturating_add(24.hours())).then_some("is more than 24 hours after its start")
            };
            if let Some(wrong) = wrong {
                let message = format!("the session's end `{end}` {wrong} `{start}`");
                checks.find(end_entry.value.span.clone(), path("end"), message, "mend one of the two");
                return None;
            }
            Some(Times::Once(from, to))
        }
        (Moment::Daily(from), Moment::Daily(to)) => {
            let Some(days) = days else {
                let mend = "add `days: daily` (or a list of days), or write a date before both times";
                checks.find(
                    start_entry.value.span.clone(),
                    path("start"),
                    "the session has neither a date nor `days`",
                    mend,
                );
                return None;
            };
            if to <= from {
                let message = format!("the session's end `{end}` is not after its start `{start}` on the same day");
                let mend = "mend one of the two; past midnight, write two sessions or dates";
                checks.find(end_entry.value.span.clone(), path("end"), message, mend);
                return None;
            }
            const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let listed = days.value.items().iter().filter_map(Node::text);
            let bits = match days.value.text() {
                Some("daily") => 0x7f,
                _ => listed
                    .filter_map(|day| NAMES.iter().position(|name| *name == day))
                    .fold(0, |bits, day| bits | 1 << day),
            };
            Some(Times::Weekly(bits, from, to))
        }
        _ => {
            let message = "one of start and end has a date, the other has none";
            checks.find(end_entry.value.span.clone(), path("end"), message, "write both with a date, or both without");
            None
        }
    }
}

fn overlap(one: &Times, other: &Times) -> bool {
    match (one, other) {
        (Times::Once(a, b), Times::Once(c, d)) => a < d && c < b,
        (Times::Weekly(days, a, b), Times::Weekly(others, c, d)) => days & others != 0 && a < d && c < b,
        (Times::Once(a, b), Times::Weekly(days, c, d)) | (Times::Weekly(days, c, d), Times::Once(a, b)) => {
            // A session of at most 24 hours touches two days.
            [a.date(), b.date()].into_iter().any(|date| {
                let today = days & 1 << date.weekday().to_monday_zero_offset() != 0;
                today && *a < date.to_datetime(*d) && date.to_datetime(*c) < *b
            })
        }
    }
}
