//! What must hold between the values of a programme.

use crate::{
    document::{Checks, tree::Node, words::nearest},
    programme::{times::Moment, written::folded},
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

/// Texts that say something, ids once, listed sports; end after start, no two sessions in one place at one time.
pub(crate) fn check(checks: &mut Checks<'_>) {
    let Some(sessions) = checks.root.entry("sessions") else { return };
    texts(checks, sessions.value.items());
    ids(checks, sessions.value.items());
    sports(checks, sessions.value.items());
    overlaps(checks, sessions.value.items());
}

/// No text of blanks only: it would be an empty line on a screen.
fn texts(checks: &mut Checks<'_>, sessions: &[Node]) {
    for (index, session) in sessions.iter().enumerate() {
        for key in ["sport", "discipline", "title", "venue", "place", "id"] {
            let Some(node) = session.get(key) else { continue };
            if node.text().is_some_and(|text| !text.is_empty() && text.trim().is_empty()) {
                let message = format!("`{key}` holds blanks and nothing else");
                checks.find(
                    node.span.clone(),
                    format!("sessions[{index}].{key}"),
                    message,
                    "write a text, or remove it",
                );
            }
        }
    }
}

/// No id twice: it is what a change is told by.
fn ids(checks: &mut Checks<'_>, sessions: &[Node]) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, session) in sessions.iter().enumerate() {
        let Some((node, id)) = session.get("id").and_then(|node| Some((node, node.text()?.trim()))) else { continue };
        if let Some(other) = first.get(id) {
            let title = sessions[*other].get("title").and_then(Node::text).unwrap_or("another session");
            let message = format!("`{id}` is the id of `{title}` as well");
            let mend = "give each session an id of its own, or remove the ids";
            checks.find(node.span.clone(), format!("sessions[{index}].id"), message, mend);
        } else {
            first.insert(id, index);
        }
    }
}

/// Where the sports are listed, every session's is among them.
fn sports(checks: &mut Checks<'_>, sessions: &[Node]) {
    let Some(list) = checks.root.get("sports") else { return };
    let mut known: HashMap<String, &str> = HashMap::new();
    for (index, node) in list.items().iter().enumerate() {
        let Some(sport) = node.text() else { return };
        if let Some(_first) = known.get(&folded(sport)) {
            let message = format!("the sport `{sport}` is listed twice");
            checks.find(node.span.clone(), format!("sports[{index}]"), message, "keep one of the two");
        } else {
            known.insert(folded(sport), sport);
        }
    }
    if known.is_empty() {
        return;
    }
    for (index, session) in sessions.iter().enumerate() {
        let Some((node, sport)) = session.get("sport").and_then(|node| Some((node, node.text()?))) else { continue };
        if sport.trim().is_empty() || known.contains_key(&folded(sport)) {
            continue;
        }
        let mend = match nearest(sport.trim(), known.values().copied()) {
            Some(near) => format!("did you mean `{near}`? Else add `{}` to `sports`", sport.trim()),
            None => format!("add `{}` to `sports`, or write one of those", sport.trim()),
        };
        let message = format!("`{}` is none of the `sports` that are listed", sport.trim());
        checks.find(node.span.clone(), format!("sessions[{index}].sport"), message, mend);
    }
}

/// No two sessions in one place at one time. What is cancelled is in nobody's way; where no place is named there may be several.
fn overlaps(checks: &mut Checks<'_>, sessions: &[Node]) {
    let mut places: HashMap<(String, String), Vec<(usize, Times)>> = HashMap::new();
    for (index, session) in sessions.iter().enumerate() {
        let Some(times) = times(checks, session, index) else { continue };
        if session.get("status").and_then(Node::text) == Some("cancelled") {
            continue;
        }
        let word = |key: &str| Some(folded(session.get(key)?.text()?)).filter(|word| !word.is_empty());
        let Some(place) = word("venue").zip(word("place")) else { continue };
        let others = places.entry(place).or_default();
        if let Some((other, _)) = others.iter().find(|(_, other)| overlap(other, &times)) {
            let title = sessions[*other].get("title").and_then(Node::text).unwrap_or("another one");
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
                let mend = "say in `days` when it repeats, such as `daily`, or write a date before both times";
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
