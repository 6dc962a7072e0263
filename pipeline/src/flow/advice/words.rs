//! Advice in words, for operators.

use std::time::Duration;

/// `4 minutes`, `1 minute`; never `0 minutes` of something that lasts.
fn minutes(seconds: f64) -> String {
    match (seconds / 60.0).round() as u64 {
        0 | 1 => "1 minute".to_owned(),
        many => format!("{many} minutes"),
    }
}

fn lanes(many: u32) -> String {
    if many == 1 { "1 lane".to_owned() } else { format!("{many} lanes") }
}

pub(super) fn over(wait: f64, limit: Duration) -> String {
    format!("The wait is {}; the limit is {}.", minutes(wait), minutes(limit.as_secs_f64()))
}

pub(super) fn over_soon(in_minutes: u32, longest: f64, limit: Duration) -> String {
    let (in_minutes, longest) = (minutes(60.0 * f64::from(in_minutes)), minutes(longest));
    format!("In {in_minutes} the wait is over {}; it may reach {longest}.", minutes(limit.as_secs_f64()))
}

pub(super) fn open(more: u32, suffices: bool, longest: f64) -> String {
    let (lanes, longest) = (lanes(more), minutes(longest));
    if suffices {
        format!("Open {lanes} more: the wait then stays at {longest} or less.")
    } else {
        format!("Open {lanes} more, all there are: the wait still reaches {longest}.")
    }
}

pub(super) fn reopen(more: u32, longest: f64) -> String {
    format!("Open {} again: more may come; with that nobody waits longer than {}.", lanes(more), minutes(longest))
}

pub(super) fn close(fewer: u32, longest: f64) -> String {
    format!("{} may close: for an hour nobody would wait longer than {}.", capital(&lanes(fewer)), minutes(longest))
}

pub(super) fn steer(gate: &str, people: u32, wait: f64) -> String {
    format!("Send visitors to {gate}: {} there, room for {people} within a quarter of an hour.", minutes(wait))
}

pub(super) fn cameras(lost: &[&str]) -> String {
    let (names, verb) = (lost.join(", "), if lost.len() == 1 { "does" } else { "do" });
    format!("{names} {verb} not see: what is counted here is too low.")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_figures_and_agree_with_them() {
        let limit = Duration::from_secs(300);
        assert_eq!(over(421.0, limit), "The wait is 7 minutes; the limit is 5 minutes.");
        assert_eq!(over_soon(12, 500.0, limit), "In 12 minutes the wait is over 5 minutes; it may reach 8 minutes.");
        assert_eq!(open(1, true, 200.0), "Open 1 lane more: the wait then stays at 3 minutes or less.");
        assert_eq!(close(2, 20.0), "2 lanes may close: for an hour nobody would wait longer than 1 minute.");
        assert_eq!(cameras(&["a", "b"]), "a, b do not see: what is counted here is too low.");
        assert_eq!(
            steer("gate-b", 120, 240.0),
            "Send visitors to gate-b: 4 minutes there, room for 120 within a quarter of an hour."
        );
    }
}
