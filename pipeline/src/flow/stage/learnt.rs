//! What forecasts are learnt from: a gate's history, and the record that the box kept since.

use crate::flow::{
    count::{
        record::{self, Row, Seen},
        tally::{Minute, came},
    },
    series::Series,
    told::Counting,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};
use usher_config::{count::Side, value::Name};

/// The minutes of every gate that were recorded in `folder` from the day `since` on, in the order of time: who came in, and at those
/// that are among `backs` who came to the back of the queue.
pub(super) fn recorded(folder: &Path, since: Date, backs: &BTreeSet<Name>) -> io::Result<BTreeMap<Name, Vec<Minute>>> {
    Ok(minutes_of(&record::read(folder, since)?.rows, backs))
}

/// Rows put together: they add up, and the one that closes a minute says how much was seen of it.
fn minutes_of(rows: &[Row], backs: &BTreeSet<Name>) -> BTreeMap<Name, Vec<Minute>> {
    let mut gates: BTreeMap<Name, BTreeMap<Timestamp, Minute>> = BTreeMap::new();
    let is_meant = |row: &&Row| (row.side == Side::Back) == backs.contains(&row.gate);
    for Row { at, gate, entered, left, seen, .. } in rows.iter().filter(is_meant) {
        let minutes = gates.entry(gate.clone()).or_default();
        // Not closed, a minute is a gap.
        let open = || Minute { at: *at, entered: Some(0), left: Some(0), counting: Counting::None };
        let minute = minutes.entry(*at).or_insert_with(open);
        minute.entered = minute.entered.map(|sum| sum + entered);
        minute.left = minute.left.map(|sum| sum + left);
        if let Seen::Told(counting) = seen {
            minute.counting = *counting;
        }
    }
    let net = |is_back: bool, minute: Minute| match minute {
        Minute { entered, left, .. } if is_back => Minute { entered: came(entered, left), left: None, ..minute },
        minute => minute,
    };
    let of = |(gate, minutes): (Name, BTreeMap<Timestamp, Minute>)| {
        let is_back = backs.contains(&gate);
        (gate, minutes.into_values().map(|minute| net(is_back, minute)).collect())
    };
    gates.into_iter().map(of).collect()
}

/// The whole steps from `next` on that are through, with who came in each; one with a minute that was not seen whole is a gap.
pub(super) fn steps_of(
    minutes: &[Minute],
    step: SignedDuration,
    next: Option<Timestamp>,
) -> Vec<(Timestamp, Option<f64>)> {
    let step = step.as_secs().max(60);
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else { return Vec::new() };
    let by_time: BTreeMap<i64, &Minute> = minutes.iter().map(|minute| (minute.at.as_second(), minute)).collect();
    let begin = (first.at.as_second() + step - 1).div_euclid(step) * step;
    let begin = next.map_or(begin, |next| next.as_second().max(begin));
    let end = last.at.as_second() + 60;
    let count = |at: i64| -> Option<f64> {
        let minute = |minute: i64| {
            let minute = by_time.get(&minute).filter(|minute| minute.counting == Counting::Whole)?;
            minute.entered.map(f64::from)
        };
        (at..at + step).step_by(60).map(minute).sum()
    };
    let begins = (0..).map(|n| begin + n * step).take_while(|at| at + step <= end);
    begins.filter_map(|at| Some((Timestamp::from_second(at).ok()?, count(at)))).collect()
}

/// A history, and steps that came after it; what lies between is a gap.
pub(super) fn joined(
    history: Option<&Series>,
    steps: &[(Timestamp, Option<f64>)],
    step: SignedDuration,
) -> Option<Series> {
    let begin = || steps.first().map(|(at, _)| Series { start: *at, step, counts: Vec::new() });
    let mut series = history.cloned().or_else(begin)?;
    for (at, count) in steps {
        let Some(index) = series.index(*at) else { continue };
        if index < series.counts.len() {
            continue;
        }
        series.counts.resize(index, None);
        series.counts.push(*count);
    }
    Some(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: SignedDuration = SignedDuration::from_mins(5);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn minute(at_s: i64, entered: u32, counting: Counting) -> Minute {
        Minute { at: at(at_s), entered: (counting != Counting::None).then_some(entered), left: None, counting }
    }

    #[test]
    fn a_step_with_a_minute_that_was_not_seen_whole_is_a_gap() {
        let seen = |n: i64| match n {
            12 => Counting::Partial,
            21 => Counting::None,
            _ => Counting::Whole,
        };
        // From a minute before a whole step to one after.
        let minutes: Vec<_> = (4..31).map(|n| minute(n * 60, 2, seen(n))).collect();
        let steps = steps_of(&minutes, STEP, None);
        assert_eq!(
            steps,
            [(at(300), Some(10.0)), (at(600), None), (at(900), Some(10.0)), (at(1200), None), (at(1500), Some(10.0))]
        );
        assert_eq!(steps_of(&minutes, STEP, Some(at(1500))), steps[4..]);
        assert_eq!(steps_of(&[], STEP, None), []);
    }

    #[test]
    fn rows_of_a_minute_add_up_and_one_that_was_never_closed_is_a_gap() {
        let gate = Name::new("gate-a").unwrap();
        let row =
            |at_s, entered, seen| Row { at: at(at_s), gate: gate.clone(), entered, left: 0, seen, side: Side::Gate };
        let whole = Seen::Told(Counting::Whole);
        let rows = [row(0, 4, Seen::Open), row(0, 3, whole), row(60, 2, Seen::Open), row(120, 1, whole)];
        let minutes = &minutes_of(&rows, &BTreeSet::new())[&gate];
        let told: Vec<_> = minutes.iter().map(|one| (one.entered, one.counting)).collect();
        assert_eq!(told, [(Some(7), Counting::Whole), (Some(2), Counting::None), (Some(1), Counting::Whole)]);
        let steps = steps_of(minutes, SignedDuration::from_mins(1), None);
        assert_eq!(steps.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [Some(7.0), None, Some(1.0)]);
    }

    #[test]
    fn where_the_back_is_counted_who_came_is_learnt_and_not_who_was_let_in() {
        let gate = Name::new("gate-a").unwrap();
        let row = |entered, left, side| Row {
            at: at(0),
            gate: gate.clone(),
            entered,
            left,
            seen: Seen::Told(Counting::Whole),
            side,
        };
        let rows = [row(40, 2, Side::Gate), row(70, 5, Side::Back)];
        let entered = |backs: &BTreeSet<Name>| minutes_of(&rows, backs)[&gate][0].entered;
        assert_eq!(entered(&BTreeSet::new()), Some(40));
        assert_eq!(entered(&BTreeSet::from([gate.clone()])), Some(65));
    }

    #[test]
    fn the_record_goes_on_where_the_history_ends_and_the_time_between_is_a_gap() {
        let history = Series { start: at(0), step: STEP, counts: vec![Some(1.0), Some(2.0)] };
        let steps = [(at(300), Some(9.0)), (at(1200), Some(5.0)), (at(1500), None)];
        let all = joined(Some(&history), &steps, STEP).unwrap();
        assert_eq!(all.counts, [Some(1.0), Some(2.0), None, None, Some(5.0), None]);
        assert_eq!(joined(None, &steps[1..], STEP).unwrap().counts, [Some(5.0), None]);
        assert_eq!(joined(None, &[], STEP), None);
    }
}
