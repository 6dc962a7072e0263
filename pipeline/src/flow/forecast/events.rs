//! What is on, and how people come to it.
//!
//! Who comes to an event comes mostly within the two hours before it begins. How many at which time before, as a share of
//! those expected, is learnt from the events that were: for each five minutes a gamma-Poisson mean, whose prior is a common
//! curve. So a gate that never saw an event has a forecast, and one that saw some has its own.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use usher_config::{
    programme::{Programme, Status, When},
    value::Name,
};

/// Something that people come to at this gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// People expected in all; absent where nobody says.
    pub attendance: Option<f64>,
    /// The share of them who come through this gate, 0..=1.
    pub share: f64,
}

/// The sessions of a programme that are held between two times and send people through `gate`: those that name it, and those
/// that name none. Without a gate, all of them. A session's share is 1 where it names the gate, or where no gate is asked for;
/// who knows how visitors spread over several gates sets it.
pub fn events_of(programme: &Programme, gate: Option<&Name>, from: Timestamp, to: Timestamp) -> Vec<Event> {
    let zone = &programme.time_zone;
    let day_of = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let (first, last) = (day_of(from), day_of(to));
    let mut events = Vec::new();
    for session in &programme.sessions {
        let elsewhere = gate.is_some_and(|gate| session.gate.as_ref().is_some_and(|its| its != gate));
        if elsewhere || session.status == Status::Cancelled {
            continue;
        }
        let attendance = session.attendance.map(f64::from);
        let mut add = |start: jiff::civil::DateTime, end: jiff::civil::DateTime| {
            if let Some((start, end)) = instant(zone, start).zip(instant(zone, end))
                && start <= to
                && end >= from
            {
                events.push(Event { start, end: end.max(start), attendance, share: 1.0 });
            }
        };
        match &session.when {
            When::Once { start, end } => add(*start, *end),
            When::Weekly { days, start, end } => {
                let dates = first.series(jiff::Span::new().days(1)).take_while(|date: &Date| *date <= last);
                for date in dates.filter(|date| days.contains(&date.weekday())) {
                    add(date.to_datetime(*start), date.to_datetime(*end));
                }
            }
        }
    }
    events.sort_by_key(|event| (event.start, event.end));
    events
}

fn instant(zone: &TimeZone, at: jiff::civil::DateTime) -> Option<Timestamp> {
    zone.to_zoned(at).ok().map(|at| at.timestamp())
}

/// Minutes of a bin of the curve.
const BIN_MIN: f64 = 5.0;
/// Bins before the start: six hours.
const BEFORE: usize = 72;
/// Bins of the curve: until two hours after the start.
const BINS: usize = BEFORE + 24;
/// How many events the common curve is worth.
const PRIOR: f64 = 1.0;
/// What an event still weighs after one more.
const MEMORY: f64 = 0.96;
/// People who are taken to come where neither the organiser nor an earlier event says; intervals are wide then.
const UNKNOWN: f64 = 500.0;

/// How people come to an event at this gate.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// Sums over events of people in a bin, as shares of those expected; and of events' weights.
    shares: [f64; BINS],
    weights: [f64; BINS],
    curve: [f64; BINS],
    /// People who came to events of unknown size: sum and weight.
    sizes: [f64; 2],
}

impl Default for Response {
    fn default() -> Self {
        Self { shares: [0.0; BINS], weights: [0.0; BINS], curve: common(), sizes: [0.0; 2] }
    }
}

/// The common curve: most come 100 to 15 minutes before the start, some after it. Shares of a bin; their sum is 1.
fn common() -> [f64; BINS] {
    let mut curve = [0.0; BINS];
    for (bin, share) in curve.iter_mut().enumerate() {
        let before_min = (BEFORE as f64 - bin as f64 - 0.5) * BIN_MIN;
        let wide = if before_min > 45.0 { 35.0 } else { 22.0 };
        *share = (-0.5 * ((before_min - 45.0) / wide).powi(2)).exp();
    }
    let sum: f64 = curve.iter().sum();
    curve.map(|share| share / sum)
}

impl Response {
    /// People expected of an event in `step_s` seconds from `at_s` on.
    pub(crate) fn expected(&self, event: &Event, at_s: i64, step_s: i64) -> f64 {
        let Some(size) = self.size(event) else { return 0.0 };
        let from = (at_s - event.start.as_second()) as f64 / 60.0 / BIN_MIN + BEFORE as f64;
        let to = from + step_s as f64 / 60.0 / BIN_MIN;
        if to <= 0.0 || from >= BINS as f64 {
            return 0.0;
        }
        let mut sum = 0.0;
        let (first, last) = (from.max(0.0) as usize, (to.min(BINS as f64).ceil() as usize).min(BINS));
        for bin in first..last {
            let part = to.min(bin as f64 + 1.0) - from.max(bin as f64);
            sum += self.curve[bin] * part.max(0.0);
        }
        size * sum
    }

    fn size(&self, event: &Event) -> Option<f64> {
        let known = (self.sizes[0] + UNKNOWN) / (self.sizes[1] + 1.0);
        Some(event.share * event.attendance.unwrap_or(known)).filter(|size| *size > 0.0)
    }

    /// Learns a finished event: `came` has when each step begins and who came to the event in it (not to anything else).
    pub(crate) fn learn(&mut self, event: &Event, came: &[(i64, f64)], step_s: i64) {
        let total: f64 = came.iter().map(|(_, count)| count).sum();
        // An event of unknown size was as large as it was: it teaches the shape, and how large events are.
        let size = match event.attendance {
            Some(said) => said * event.share,
            None => total,
        };
        if size <= 0.0 {
            return;
        }
        let (mut shares, mut seen) = ([0.0; BINS], [0.0; BINS]);
        for (at_s, count) in came {
            let from = (at_s - event.start.as_second()) as f64 / 60.0 / BIN_MIN + BEFORE as f64;
            let to = from + step_s as f64 / 60.0 / BIN_MIN;
            // Within a step people are taken to come as the curve says so far.
            let bins = (from.max(0.0) as usize)..(to.clamp(0.0, BINS as f64).ceil() as usize);
            let part = |bin: usize| (to.min(bin as f64 + 1.0) - from.max(bin as f64)).max(0.0);
            let all: f64 = bins.clone().map(|bin| part(bin) * (self.curve[bin] + 1e-6)).sum();
            for bin in bins {
                let here = part(bin);
                shares[bin] += count / size * here * (self.curve[bin] + 1e-6) / all.max(1e-12);
                seen[bin] += here;
            }
        }
        for bin in 0..BINS {
            let weight = seen[bin].min(1.0);
            self.shares[bin] =
                self.shares[bin] * MEMORY + if seen[bin] > 0.0 { shares[bin] / seen[bin] * weight } else { 0.0 };
            self.weights[bin] = self.weights[bin] * MEMORY + weight;
        }
        let common = common();
        for (bin, rate) in self.curve.iter_mut().enumerate() {
            *rate = (self.shares[bin] + PRIOR * common[bin]) / (self.weights[bin] + PRIOR);
        }
        if event.attendance.is_none() && event.share > 0.0 {
            self.sizes = [self.sizes[0] * MEMORY + total / event.share, self.sizes[1] * MEMORY + 1.0];
        }
    }

    /// Seconds before its start from which an event draws people, and after it until which.
    pub(crate) fn reach_s() -> (i64, i64) {
        ((BEFORE as f64 * BIN_MIN * 60.0) as i64, ((BINS - BEFORE) as f64 * BIN_MIN * 60.0) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_config::programme;

    fn event(attendance: Option<f64>) -> Event {
        let start: Timestamp = "2026-07-14T18:00:00Z".parse().unwrap();
        Event { start, end: start + jiff::SignedDuration::from_mins(110), attendance, share: 0.5 }
    }

    #[test]
    fn without_any_history_everybody_expected_comes_around_the_start() {
        let (response, event) = (Response::default(), event(Some(4000.0)));
        let steps = |step_s: i64| (-80..40).map(move |i| event.start.as_second() + i * step_s);
        let all: f64 = steps(300).map(|at| response.expected(&self::event(Some(4000.0)), at, 300)).sum();
        assert!((all - 2000.0).abs() < 1.0, "{all}");
        let late: f64 =
            (0..24).map(|i| response.expected(&self::event(Some(4000.0)), 1_784_052_000 + i * 300, 300)).sum();
        assert!(late < 0.1 * all, "{late}");
        // Steps of any length and place hold the same people.
        let odd: f64 =
            (-80..40).map(|i| response.expected(&self::event(Some(4000.0)), 1_784_052_123 + i * 420, 420)).sum();
        assert!((odd - all).abs() < 1.0, "{odd} {all}");
    }

    #[test]
    fn a_gate_whose_visitors_come_late_is_learnt() {
        let (mut response, event) = (Response::default(), event(Some(1000.0)));
        let start = event.start.as_second();
        let came: Vec<(i64, f64)> = (-24..6).map(|i| (start + i * 900, if i == -1 { 480.0 } else { 0.0 })).collect();
        for _ in 0..8 {
            response.learn(&event, &came, 900);
        }
        let last = response.expected(&event, start - 900, 900);
        assert!((400.0..490.0).contains(&last), "{last}");
        assert!(response.expected(&event, start - 3600, 900) < 15.0);
    }

    #[test]
    fn an_event_of_unknown_size_is_as_large_as_the_others_were() {
        let (mut response, event) = (Response::default(), event(None));
        let start = event.start.as_second();
        let came: Vec<(i64, f64)> = (-12..0).map(|i| (start + i * 600, 100.0)).collect();
        for _ in 0..12 {
            response.learn(&event, &came, 600);
        }
        let all: f64 = (-36..12).map(|i| response.expected(&event, start + i * 600, 600)).sum();
        assert!((950.0..1300.0).contains(&all), "{all}");
    }

    #[test]
    fn sessions_become_events_of_the_gates_they_name() {
        let text = "time_zone: Europe/Berlin\nsessions:\n\
            - { sport: Football, title: Final, venue: Arena, gate: gate-a, start: 2026-07-14 20:00, end: 2026-07-14 22:00, attendance: 900 }\n\
            - { sport: Judo, title: Heats, venue: Hall, start: 10:00, end: 12:00, days: [tue] }\n\
            - { sport: Chess, title: Off, venue: Hall, start: 2026-07-14 20:00, end: 2026-07-14 22:00, status: cancelled }\n";
        let programme = programme::from_text(text, "p.yaml").unwrap();
        let (from, to) = ("2026-07-13T00:00:00Z".parse().unwrap(), "2026-07-22T00:00:00Z".parse().unwrap());
        let (a, b) = (Name::new("gate-a").unwrap(), Name::new("gate-b").unwrap());
        let starts = |gate| -> Vec<String> {
            events_of(&programme, gate, from, to).iter().map(|event| event.start.to_string()).collect()
        };
        assert_eq!(starts(Some(&a)), ["2026-07-14T08:00:00Z", "2026-07-14T18:00:00Z", "2026-07-21T08:00:00Z"]);
        assert_eq!(starts(None).len(), 3);
        assert_eq!(starts(Some(&b)).len(), 2);
    }
}
