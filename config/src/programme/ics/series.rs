//! Series: on which days an event is held that repeats.

use calcard::{
    common::{PartialDateTime, timezone::Tz},
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarFrequency, ICalendarProperty,
        ICalendarRecurrenceRule, ICalendarValue, ICalendarWeekday,
    },
};
use jiff::{
    Timestamp,
    civil::{DateTime, Weekday},
    tz::TimeZone,
};

/// Most occurrences of one series: as many as a programme has sessions, and one to tell that it is too long.
const MOST: usize = 10_001;

/// When a series is held, by the clocks of its own zone.
pub(crate) enum Series {
    /// On these days of every week, as a programme writes them.
    Weekly(Vec<&'static str>),
    /// At these times.
    Times(Vec<DateTime>),
}

/// Follows a rule from `start` on; `until` is the rule's end by the same clocks.
///
/// # Errors
/// What is wrong with the rule, and the mend.
pub(crate) fn follow(
    rule: &ICalendarRecurrenceRule,
    start: DateTime,
    until: Option<DateTime>,
) -> Result<Series, (String, String)> {
    if rule.until.is_none() && rule.count.is_none() {
        return every_week(rule, start).map(Series::Weekly).ok_or_else(|| {
            let mend = "add `UNTIL=` or `COUNT=` to the rule";
            ("the event repeats without an end, in a way that is not the same every week".to_owned(), mend.to_owned())
        });
    }
    let bad = |message: String| (message, "check the rule, or write the occurrences out".to_owned());
    if rule.count == Some(0) || rule.interval == Some(0) {
        return Err(bad("the event repeats 0 times".to_owned()));
    }
    let rule = ICalendarRecurrenceRule { until: until.map(floating), ..rule.clone() };
    let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
    let event = ICalendarComponent {
        component_type: ICalendarComponentType::VEvent,
        entries: vec![
            entry(ICalendarProperty::Dtstart, ICalendarValue::PartialDateTime(Box::new(floating(start)))),
            entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule))),
        ],
        component_ids: Vec::new(),
    };
    let expanded = ICalendar { components: vec![event] }.expand_dates(Tz::Floating, MOST);
    if !expanded.errors.is_empty() {
        return Err(bad("the event's rule cannot be followed from its start".to_owned()));
    }
    // Floating times are counted as if they were UTC's.
    let civil = |seconds: i64| Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime());
    let times: Vec<DateTime> = expanded.events.iter().filter_map(|event| civil(event.start.timestamp())).collect();
    if times.is_empty() {
        return Err(bad("the event's rule has no occurrence".to_owned()));
    }
    Ok(Series::Times(times))
}

/// The days of a rule that says no more than on which days of every week.
fn every_week(rule: &ICalendarRecurrenceRule, start: DateTime) -> Option<Vec<&'static str>> {
    let others = [
        rule.bysecond.is_empty() && rule.byminute.is_empty() && rule.byhour.is_empty(),
        rule.bymonthday.is_empty() && rule.byyearday.is_empty() && rule.byweekno.is_empty(),
        rule.bymonth.is_empty() && rule.bysetpos.is_empty(),
        rule.byday.iter().all(|day| day.ordwk.is_none()) && rule.interval.unwrap_or(1) == 1,
    ];
    let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let named = |index: i8| all[usize::from(index.unsigned_abs()) % 7];
    let listed = || {
        rule.byday.iter().map(|day| {
            named(match day.weekday {
                ICalendarWeekday::Monday => 0,
                ICalendarWeekday::Tuesday => 1,
                ICalendarWeekday::Wednesday => 2,
                ICalendarWeekday::Thursday => 3,
                ICalendarWeekday::Friday => 4,
                ICalendarWeekday::Saturday => 5,
                ICalendarWeekday::Sunday => 6,
            })
        })
    };
    let weekday: Weekday = start.weekday();
    match rule.freq {
        _ if others.contains(&false) => None,
        ICalendarFrequency::Daily | ICalendarFrequency::Weekly if !rule.byday.is_empty() => Some(listed().collect()),
        ICalendarFrequency::Daily => Some(all.to_vec()),
        ICalendarFrequency::Weekly => Some(vec![named(weekday.to_monday_zero_offset())]),
        _ => None,
    }
}

fn floating(at: DateTime) -> PartialDateTime {
    let small = |number: i8| Some(number.unsigned_abs());
    PartialDateTime {
        year: Some(at.year().unsigned_abs()),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
        ..PartialDateTime::default()
    }
}
