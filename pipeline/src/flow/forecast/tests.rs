use super::*;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Gamma, Poisson};

/// Days of a gate, in steps of a quarter of an hour: a usual week, every other day an event of which more or fewer come than
/// was said, and day-to-day chance beyond Poisson's.
pub(crate) fn days(seed: u64, days: i64) -> (Series, Vec<Event>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let (mut counts, mut events) = (Vec::new(), Vec::new());
    for day in 0..days {
        let today = Gamma::new(20.0, 1.0 / 20.0).unwrap().sample(&mut random);
        let usual = if day % 7 < 5 { 12.0 } else { 5.0 } * today;
        let kick_off = (day % 2 == 0).then(|| [16.0, 18.0, 19.5][random.random_range(0..3)]);
        let said = 1500.0 + 1500.0 * random.random::<f64>();
        let come = said * (0.8 + 0.4 * random.random::<f64>());
        let at = |hours: f64| start + SignedDuration::from_secs(day * 86_400 + (hours * 3600.0) as i64);
        events.extend(kick_off.map(|hours| Event {
            start: at(hours),
            end: at(hours + 2.0),
            attendance: Some(said),
            share: 1.0,
        }));
        for step in 0..96 {
            let hour = step as f64 / 4.0;
            let bulge = |middle: f64, wide: f64| (-0.5 * ((hour - middle) / wide).powi(2)).exp();
            let drawn = kick_off.map_or(0.0, |at| come * 0.25 / 2.507 / 0.5 * bulge(at - 0.9, 0.5));
            let rate = usual * bulge(12.0, 3.0) + drawn;
            let rate = rate * Gamma::new(30.0, 1.0 / 30.0).unwrap().sample(&mut random);
            counts.push(Some(Poisson::new(rate.max(1e-9)).unwrap().sample(&mut random)));
        }
    }
    (Series { start, step: SignedDuration::from_mins(15), counts }, events)
}

/// What came of observing everything from `from` on: spreads (by horizon of `minutes`) made before each step.
fn rolled(series: &Series, events: &[Event], from: usize, minutes: &[u32]) -> (Forecaster, Vec<Vec<Spread>>) {
    let settings = Settings { horizons: minutes.to_vec(), ..Settings::new(series.step, TimeZone::UTC) };
    let history = Series { counts: series.counts[..from].to_vec(), ..series.clone() };
    let mut forecaster = Forecaster::new(settings, Some(&history), events.to_vec(), None);
    // What the library's models add is not what these tests are about, and they take their time.
    forecaster.library_days = None;
    let mut made = Vec::new();
    for index in from..series.counts.len() {
        made.push(forecaster.spreads(series.at(index), minutes));
        forecaster.observe(series.at(index), series.counts[index]);
    }
    (forecaster, made)
}

#[test]
fn intervals_hold_what_they_promise_on_days_never_seen() {
    let (mut all, mut of_events) = ([0.0; 3], [0.0; 3]);
    for seed in 1..=8 {
        let (series, events) = days(seed, 49);
        let from = 28 * 96;
        let (forecaster, made) = rolled(&series, &events, from, &[30]);
        for (step, spreads) in made.iter().enumerate() {
            let Some(count) = series.counts.get(from + step + 1).copied().flatten() else { continue };
            let inside = [1.0, spreads[0].inside80(count), spreads[0].inside95(count)];
            let event = forecaster.of_event(series.at(from + step + 1));
            for sums in [Some(&mut all), event.then_some(&mut of_events)].into_iter().flatten() {
                sums.iter_mut().zip(inside).for_each(|(sum, inside)| *sum += inside);
            }
        }
    }
    for [many, inside80, inside95] in [all, of_events] {
        assert!((0.77..=0.83).contains(&(inside80 / many)), "80 %: {} of {many}", inside80 / many);
        assert!((0.93..=0.97).contains(&(inside95 / many)), "95 %: {} of {many}", inside95 / many);
    }
}

#[test]
fn a_gate_without_history_forecasts_from_the_programme_alone() {
    let start: Timestamp = "2026-07-14T18:00:00Z".parse().unwrap();
    let end = start + SignedDuration::from_hours(2);
    let event = Event { start, end, attendance: Some(6000.0), share: 0.5 };
    let settings = Settings::new(SignedDuration::from_mins(5), TimeZone::UTC);
    let forecaster = Forecaster::new(settings.clone(), None, vec![event], None);
    assert_eq!(forecaster.rests_on(), RestsOn::Programme);
    let path = forecaster.path(start - SignedDuration::from_hours(8), 12 * 12);
    let all: f64 = path.iter().map(|fan| fan.median).sum();
    assert!((2300.0..3300.0).contains(&all), "{all}");
    let peak = path.iter().max_by(|a, b| a.median.total_cmp(&b.median)).unwrap();
    assert!(peak.low95 < 0.6 * peak.median && peak.high95 > 1.4 * peak.median, "{peak:?}");
    assert!(forecaster.grades().is_empty());
    let bare = Forecaster::new(settings, None, Vec::new(), None);
    assert_eq!((bare.rests_on(), bare.path(start, 1)[0].median), (RestsOn::LiveOnly, 0.0));
}

#[test]
fn a_gate_without_programme_and_history_follows_what_it_sees() {
    let settings = Settings::new(SignedDuration::from_mins(5), TimeZone::UTC);
    let mut forecaster = Forecaster::new(settings, None, Vec::new(), None);
    let start: Timestamp = "2026-07-14T10:00:00Z".parse().unwrap();
    let at = |step: i32| start + SignedDuration::from_mins(5) * step;
    for step in 0..24 {
        forecaster.observe(at(step), Some(f64::from(38 + step % 5)));
    }
    let fan = forecaster.forecast(at(24), &[5])[0];
    assert!((32.0..=48.0).contains(&fan.median), "{fan:?}");
}

#[test]
fn a_gap_is_neither_learnt_nor_graded_and_is_not_nobody() {
    let (whole, events) = days(5, 35);
    let mut holed = whole.clone();
    let lost = 33 * 96 + 40..33 * 96 + 60;
    holed.counts[lost.clone()].iter_mut().for_each(|count| *count = None);
    let (with_gap, made) = rolled(&holed, &events, 28 * 96, &[15]);
    let (without, _) = rolled(&whole, &events, 28 * 96, &[15]);
    let forecasts = |forecaster: &Forecaster| forecaster.grades()[0].forecasts;
    assert_eq!(forecasts(&without) - forecasts(&with_gap), 20);
    // Noon of a lost day is still noon: its forecast does not sink as if nobody came.
    let noon = made[lost.end - 1 - 28 * 96][0].fan();
    assert!(noon.high95 >= 8.0, "{noon:?}");
    // Steps that are left out are gaps as well.
    let mut skipped = Forecaster::new(Settings::new(whole.step, TimeZone::UTC), None, Vec::new(), None);
    skipped.library_days = None;
    let mut told = skipped.clone();
    for (index, count) in holed.counts.iter().enumerate() {
        told.observe(holed.at(index), *count);
        if count.is_some() {
            skipped.observe(holed.at(index), *count);
        }
    }
    let next = holed.at(holed.counts.len());
    assert_eq!(told.spreads(next, &[15, 60]), skipped.spreads(next, &[15, 60]));
}

#[test]
fn a_clock_that_jumps_back_teaches_nothing_twice() {
    let (series, _) = days(6, 10);
    let mut forecaster = Forecaster::new(Settings::new(series.step, TimeZone::UTC), Some(&series), Vec::new(), None);
    let next = series.at(series.counts.len());
    let before = forecaster.spreads(next, &[15, 60]);
    forecaster.observe(series.at(100), Some(9999.0));
    assert_eq!(forecaster.spreads(next, &[15, 60]), before);
}

#[test]
fn seasons_follow_clocks_that_change() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let start: Timestamp = "2026-03-01T23:00:00Z".parse().unwrap();
    let step = SignedDuration::from_mins(30);
    let mut series = Series { start, step, counts: Vec::new() };
    for index in 0..31 * 48 {
        let at = series.at(index).to_zoned(zone.clone());
        series.counts.push(Some(if (9..12).contains(&at.hour()) { 30.0 } else { 0.0 }));
    }
    let history = Series { counts: series.counts[..27 * 48].to_vec(), ..series.clone() };
    let forecaster = Forecaster::new(Settings::new(step, zone.clone()), Some(&history), Vec::new(), None);
    let path = forecaster.path(series.at(27 * 48), 2 * 48);
    for (index, fan) in path.iter().enumerate() {
        let hour = series.at(27 * 48 + index).to_zoned(zone.clone()).hour();
        assert!(hour != 10 || fan.median > 20.0, "{hour}: {fan:?}");
        assert!(!(14..24).contains(&hour) || fan.median < 3.0, "{hour}: {fan:?}");
    }
}

#[test]
fn its_own_grades_are_those_that_somebody_else_computes() {
    let (series, events) = days(7, 30);
    // Without history, so that each graded forecast is one made here.
    let settings = Settings { horizons: vec![15, 60], ..Settings::new(series.step, TimeZone::UTC) };
    let mut forecaster = Forecaster::new(settings, None, events, None);
    let mut made: Vec<Vec<Spread>> = Vec::new();
    forecaster.library_days = None;
    for (index, count) in series.counts.iter().enumerate() {
        made.push(forecaster.spreads(series.at(index), &[15, 60]));
        forecaster.observe(series.at(index), if index % 37 == 5 { None } else { *count });
    }
    for (horizon, (minutes, ahead)) in [(15, 1), (60, 4)].into_iter().enumerate() {
        let (mut error, mut naive, mut compared, mut inside, mut many) = (0.0, 0.0, 0.0, [0.0; 2], 0.0);
        let seen = |index: usize| series.counts[index].filter(|_| index % 37 != 5);
        // A forecaster's first is made when it has seen its first step; it remembers the last 2016.
        let graded: Vec<usize> = (ahead..series.counts.len()).filter(|target| seen(*target).is_some()).collect();
        let all = graded.len();
        for target in graded[all - 2016..].iter().copied() {
            let (spread, count) = (&made[target + 1 - ahead][horizon], seen(target).unwrap());
            let miss = (spread.fan().median - count).abs();
            error += miss;
            many += 1.0;
            inside[0] += spread.inside80(count);
            inside[1] += spread.inside95(count);
            if let Some(before) = seen(target - 7 * 96) {
                naive += (before - count).abs();
                compared += miss;
            }
        }
        let grade = forecaster.grades().into_iter().find(|grade| grade.minutes == minutes).unwrap();
        assert_eq!(grade.forecasts, all as u64);
        for (own, other) in [
            (grade.mean_absolute_error, error / many / 15.0),
            (grade.mase.unwrap(), compared / naive),
            (grade.coverage80.unwrap(), inside[0] / many),
            (grade.coverage95.unwrap(), inside[1] / many),
        ] {
            assert!((own - other).abs() < 1e-9, "{minutes} min: {own} {other}");
        }
    }
}

#[test]
fn a_new_programme_is_heard_at_once() {
    let (series, events) = days(8, 21);
    let mut forecaster = Forecaster::new(Settings::new(series.step, TimeZone::UTC), Some(&series), events, None);
    let start = series.at(series.counts.len()) + SignedDuration::from_hours(20);
    let evening = |forecaster: &Forecaster| {
        forecaster.path(series.at(series.counts.len()), 96)[70..80].iter().map(|fan| fan.median).sum::<f64>()
    };
    let before = evening(&forecaster);
    let event = Event { start, end: start + SignedDuration::from_hours(2), attendance: Some(3000.0), share: 1.0 };
    forecaster.set_events(vec![event]);
    assert!(evening(&forecaster) > before + 1000.0);
    assert_eq!(forecaster.rests_on(), RestsOn::Both);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn fans_are_in_order_whatever_was_counted(
        counts in prop::collection::vec(prop::option::weighted(0.9, 0u32..400), 1..300),
        step_min in prop::sample::select(vec![1i64, 5, 7, 30, 60, 1440]),
        share in 0.0f64..1.0,
    ) {
        let step = SignedDuration::from_mins(step_min);
        let start: Timestamp = "2026-10-20T00:00:00Z".parse().unwrap();
        let series = Series { start, step, counts: counts.iter().map(|count| count.map(f64::from)).collect() };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let next = series.at(series.counts.len());
        let event = Event { start: next + SignedDuration::from_hours(1), end: next + SignedDuration::from_hours(3), attendance: None, share };
        let make = || Forecaster::new(Settings::new(step, zone.clone()), Some(&series), vec![event.clone()], None);
        let (forecaster, twin) = (make(), make());
        let path = forecaster.path(next, 40);
        for fan in path.iter().chain(&forecaster.forecast(next, &[5, 15, 30, 60])) {
            let ends = [fan.low95, fan.low80, fan.median, fan.high80, fan.high95];
            prop_assert!(ends.windows(2).all(|pair| pair[0] <= pair[1]) && ends[0] >= 0.0 && ends[4].is_finite(), "{fan:?}");
        }
        prop_assert_eq!(path, twin.path(next, 40));
    }
}
