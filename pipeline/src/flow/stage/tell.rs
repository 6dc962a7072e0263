//! Telling: a gate's parts put into what is told of it.
//!
//! Pure, and careful with what is not known: absent, never nought, and never a number that is none.

use crate::flow::{
    board::Past,
    count::tally::{self, GateTally, Minute},
    told::{Advice, DayBin, Estimate, Fan, GateFlow, GateForecast, Grade, Horizon, QueueNow, RestsOn},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use usher_config::value::Name;

/// Times ahead that are told, minutes.
pub(super) const HORIZONS: [u32; 4] = [5, 15, 30, 60];
/// Part of the day that is told at once.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// The hour at which a day ends, by the venue's clocks.
const DAY_ENDS: i8 = 4;
/// Standard deviations from the middle to an end of the two intervals of a normal law.
const SPREADS: [f64; 2] = [1.281_55, 1.959_96];

/// Who speaks, of which gate, when.
pub(super) struct Heading<'a> {
    /// The venue.
    pub(super) site: &'a Name,
    /// The gate.
    pub(super) gate: &'a Name,
    /// When.
    pub(super) at: Timestamp,
    /// The venue's clocks.
    pub(super) zone: &'a TimeZone,
}

impl Heading<'_> {
    fn written(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// When the day that `at` lies in ends.
pub(super) fn end_of_day(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let day: Date = tally::day_of(at, zone);
    let end = day.tomorrow().map(|next| next.at(DAY_ENDS, 0, 0, 0)).and_then(|end| zone.to_zoned(end));
    end.map_or(at, |end| end.timestamp())
}

/// How a gate is.
pub(super) fn flow(
    heading: &Heading<'_>,
    tally: &GateTally,
    queue: Option<QueueNow>,
    limit: Option<Duration>,
    advice: Vec<Advice>,
) -> GateFlow {
    GateFlow {
        v: 1,
        site: heading.site.clone(),
        gate: heading.gate.clone(),
        at: heading.written(heading.at),
        counting: tally.counting,
        lost_cameras: tally.lost.clone(),
        counting_since: tally.since.map(|since| heading.written(since)),
        entered_last_minute: tally.entered_last_minute,
        left_last_minute: tally.left_last_minute,
        entered_total: tally.entered_total,
        left_total: tally.left_total,
        inside: tally.inside,
        queue: queue.filter(is_sound),
        limit_seconds: limit.map(|limit| u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)),
        advice,
    }
}

fn is_sound(queue: &QueueNow) -> bool {
    let all = [queue.length, queue.wait_seconds, queue.service_per_minute];
    all.iter().all(|Estimate { value, low, high }| [value, low, high].iter().all(|number| number.is_finite()))
}

/// A forecast by steps.
pub(super) struct Path<'a> {
    /// When the first step begins.
    pub(super) from: Timestamp,
    /// How long each is.
    pub(super) step: SignedDuration,
    /// People who arrive in each.
    pub(super) steps: &'a [Fan],
}

impl Path<'_> {
    fn index(&self, at: Timestamp) -> Option<usize> {
        let since = at.duration_since(self.from);
        (!since.is_negative()).then(|| usize::try_from(since.as_secs() / self.step.as_secs().max(1)).ok()).flatten()
    }

    /// People a minute at a time.
    pub(super) fn per_minute(&self, at: Timestamp) -> Option<Fan> {
        let fan = self.steps.get(self.index(at)?)?;
        Some(scaled(fan, 60.0 / self.step.as_secs_f64().max(1.0)))
    }

    /// People a minute in each of the next minutes, as far as there is a forecast.
    pub(super) fn by_minute(&self, from: Timestamp, minutes: usize) -> Vec<Fan> {
        let at = |minute: usize| from.checked_add(SignedDuration::from_mins(i64::try_from(minute).ok()?)).ok();
        (0..minutes).map_while(|minute| self.per_minute(at(minute)?)).collect()
    }

    /// Arrivals in the quarters of an hour from the next one until `end`.
    fn day(&self, heading: &Heading<'_>, end: Timestamp) -> Vec<DayBin> {
        let quarter = QUARTER.as_secs();
        let first = (heading.at.as_second() + quarter - 1).div_euclid(quarter) * quarter;
        let begins = (0..).map_while(|n: i64| Timestamp::from_second(first + n * quarter).ok());
        let bin = |at: Timestamp| Some(DayBin { at: heading.written(at), arrivals: self.within(at, QUARTER)? });
        begins.take_while(|at| *at < end).map_while(bin).collect()
    }

    /// Arrivals from `at` on for as long as `long`.
    fn within(&self, at: Timestamp, long: SignedDuration) -> Option<Fan> {
        if self.step >= long {
            let share = long.as_secs_f64() / self.step.as_secs_f64();
            return Some(scaled(self.steps.get(self.index(at)?)?, share));
        }
        let count = usize::try_from(long.as_secs() / self.step.as_secs().max(1)).ok()?;
        let first = self.index(at)?;
        Some(sum(self.steps.get(first..first + count)?))
    }
}

/// What comes next at a gate: `waits` are queue and wait at the end of each of [`HORIZONS`], where a queue is measured.
pub(super) fn forecast(
    heading: &Heading<'_>,
    path: &Path<'_>,
    waits: &[(Fan, Fan)],
    end_of_day: Timestamp,
    grades: Vec<Grade>,
    rests_on: RestsOn,
) -> GateForecast {
    let horizon = |(place, minutes): (usize, &u32)| {
        let at = heading.at.checked_add(SignedDuration::from_mins(i64::from(*minutes))).ok()?;
        let wait = waits.get(place).copied();
        Some(Horizon {
            minutes: *minutes,
            arrivals: sound(path.per_minute(at)?)?,
            queue: wait.and_then(|(queue, _)| sound(queue)),
            wait_seconds: wait.and_then(|(_, wait)| sound(wait)),
        })
    };
    let is_sound = |grade: &Grade| grade.mean_absolute_error.is_finite();
    GateForecast {
        v: 1,
        site: heading.site.clone(),
        gate: heading.gate.clone(),
        at: heading.written(heading.at),
        horizons: HORIZONS.iter().enumerate().filter_map(horizon).collect(),
        day: path.day(heading, end_of_day).into_iter().filter(|bin| sound(bin.arrivals).is_some()).collect(),
        grades: grades.into_iter().filter(is_sound).collect(),
        rests_on,
    }
}

fn sound(fan: Fan) -> Option<Fan> {
    let all = [fan.median, fan.low80, fan.high80, fan.low95, fan.high95];
    all.iter().all(|number| number.is_finite()).then_some(fan)
}

/// A fan in another unit.
pub(super) fn scaled(fan: &Fan, by: f64) -> Fan {
    let Fan { median, low80, high80, low95, high95 } = *fan;
    Fan { median: median * by, low80: low80 * by, high80: high80 * by, low95: low95 * by, high95: high95 * by }
}

/// The fan of a sum of steps. Of what is not known of a step, as much as a Poisson law holds is chance of its own, which evens out;
/// the rest is a forecast that errs, and errs alike in steps that follow one another.
fn sum(steps: &[Fan]) -> Fan {
    let median: f64 = steps.iter().map(|fan| fan.median).sum();
    let end = |spread: f64, of: fn(&Fan) -> f64| {
        let (mut own, mut common) = (0.0, 0.0);
        for fan in steps {
            let variance = ((of(fan) - fan.median) / spread).powi(2);
            let chance = variance.min(fan.median);
            own += chance;
            common += (variance - chance).sqrt();
        }
        spread * (own + common * common).sqrt()
    };
    let [near, far] = SPREADS;
    Fan {
        median,
        low80: (median - end(near, |fan| fan.low80)).max(0.0),
        high80: median + end(near, |fan| fan.high80),
        low95: (median - end(far, |fan| fan.low95)).max(0.0),
        high95: median + end(far, |fan| fan.high95),
    }
}

/// The last day by minute, with the queue as it was told at the end of each.
pub(super) fn past(minutes: &[Minute], queues: &BTreeMap<i64, (f32, f32)>) -> Arc<[Past]> {
    let past = |minute: &Minute| {
        let at = minute.at.as_second();
        let queue = queues.get(&at);
        Past {
            at,
            entered: minute.entered,
            left: minute.left,
            queue: queue.map(|(people, _)| *people),
            wait_seconds: queue.map(|(_, wait)| *wait),
        }
    };
    minutes.iter().map(past).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::told::Counting;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn fan(median: f64, half: f64) -> Fan {
        let wide = half * SPREADS[1] / SPREADS[0];
        Fan { median, low80: median - half, high80: median + half, low95: median - wide, high95: median + wide }
    }

    fn heading<'a>(gate: &'a Name, zone: &'a TimeZone, when: &str) -> Heading<'a> {
        Heading { site: gate, gate, at: at(when), zone }
    }

    #[test]
    fn horizons_are_told_a_minute_and_the_day_in_quarters_to_its_end() {
        let (gate, zone) = (Name::new("gate-a").unwrap(), TimeZone::get("Europe/Berlin").unwrap());
        let steps: Vec<Fan> = (0..24).map(|n| fan(f64::from(n) * 5.0, 2.0)).collect();
        let path = Path { from: at("2026-07-26T10:00:00Z"), step: SignedDuration::from_mins(5), steps: &steps };
        let heading = heading(&gate, &zone, "2026-07-26T10:02:00Z");
        let wait = (fan(10.0, 1.0), fan(60.0, 5.0));
        let told = forecast(&heading, &path, &[wait], at("2026-07-26T11:00:00Z"), vec![], RestsOn::Programme);
        // 10:07 lies in the second step: five people in five minutes.
        let arrivals: Vec<_> = told.horizons.iter().map(|one| (one.minutes, one.arrivals.median.round())).collect();
        assert_eq!(arrivals, [(5, 1.0), (15, 3.0), (30, 6.0), (60, 12.0)]);
        assert!(told.horizons[0].queue.is_some() && told.horizons[1].queue.is_none());
        let day: Vec<_> = told.day.iter().map(|bin| (bin.at.as_str(), bin.arrivals.median)).collect();
        assert_eq!(
            day,
            [
                ("2026-07-26T12:15:00+02:00", 60.0),
                ("2026-07-26T12:30:00+02:00", 105.0),
                ("2026-07-26T12:45:00+02:00", 150.0)
            ]
        );
    }

    #[test]
    fn chance_evens_out_and_an_error_of_the_forecast_does_not() {
        let chance = SPREADS[0] * 100f64.sqrt();
        let poisson = sum(&[fan(100.0, chance); 4]);
        assert!((poisson.high80 - 400.0 - SPREADS[0] * 20.0).abs() < 1e-6, "{poisson:?}");
        let wrong = sum(&[fan(0.0, 8.0); 4]);
        assert!((wrong.high80 - 32.0).abs() < 1e-6 && wrong.low80 == 0.0, "{wrong:?}");
    }

    #[test]
    fn what_is_no_number_is_not_told() {
        let (gate, zone) = (Name::new("gate-a").unwrap(), TimeZone::UTC);
        let heading = heading(&gate, &zone, "2026-07-26T10:02:00Z");
        let broken = Estimate { value: f64::NAN, low: 0.0, high: 1.0 };
        let queue = QueueNow { length: broken, wait_seconds: broken, service_per_minute: broken, lanes_open: 1 };
        let told = flow(&heading, &GateTally::default(), Some(queue), None, vec![]);
        assert_eq!((told.queue, told.entered_last_minute, told.counting), (None, None, Counting::None));
        let steps = [fan(f64::INFINITY, 1.0); 30];
        let path = Path { from: at("2026-07-26T10:00:00Z"), step: SignedDuration::from_mins(5), steps: &steps };
        let told = forecast(&heading, &path, &[], at("2026-07-26T11:00:00Z"), vec![], RestsOn::LiveOnly);
        assert!(told.horizons.is_empty() && told.day.is_empty());
    }
}
