//! What a queue promises.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn lanes(rate: Option<f64>) -> Lanes {
    Lanes { lanes: 6, open: 4, rate_per_lane_minute: rate, limit: Some(5 * MINUTE) }
}

/// A queue that was observed for so many minutes, each with so many arrivals, at 40 a minute at most through the gate.
fn after(queue: &mut Queue, from: u32, arrivals: &[f64]) -> f64 {
    let mut length = 0.0;
    for (minute, arrived) in arrivals.iter().enumerate() {
        let served = (length + arrived).min(40.0);
        length += arrived - served;
        queue.observe(MINUTE * (from + minute as u32 + 1), Some(*arrived), Some(served), 4);
    }
    length
}

fn started(rate: Option<f64>) -> Queue {
    let mut queue = Queue::new(lanes(rate));
    queue.observe(Duration::ZERO, Some(0.0), Some(0.0), 4);
    queue
}

#[test]
fn nothing_is_said_before_anything_was_seen() {
    let mut queue = Queue::new(lanes(None));
    assert_eq!(queue.now(), None);
    queue.observe(MINUTE, Some(3.0), Some(3.0), 4);
    queue.observe(2 * MINUTE, None, Some(3.0), 4);
    assert_eq!(queue.now(), None);
    queue.count(12.0, 2.0);
    assert!((queue.now().unwrap().length.value - 12.0).abs() < 3.0);
}

#[test]
fn a_queue_is_the_difference_of_the_curves() {
    let mut queue = started(Some(10.0));
    let arrivals = [vec![20.0; 15], vec![52.0; 20]].concat();
    let truth = after(&mut queue, 0, &arrivals);
    let now = queue.now().unwrap();
    assert!((now.length.value - truth).abs() < 20.0, "{now:?} against {truth}");
    assert!((now.wait_seconds.value - truth / 40.0 * 60.0).abs() < 40.0, "{now:?}");
    assert!(now.length.low <= truth && truth <= now.length.high, "{now:?} against {truth}");
}

#[test]
fn a_rate_is_learnt_from_a_queue_and_from_nothing_else() {
    let mut queue = started(None);
    let wide = |queue: &Queue| {
        let rate = queue.rate_per_lane_minute();
        (rate.high / rate.low).ln()
    };
    let at_first = wide(&queue);
    let _ = after(&mut queue, 0, &[6.0; 60]);
    assert!(
        wide(&queue) > 0.6 * at_first,
        "learnt from lanes that wait for people: {:?}",
        queue.rate_per_lane_minute()
    );
    let _ = after(&mut queue, 60, &[60.0; 25]);
    let rate = queue.rate_per_lane_minute();
    assert!((rate.value - 10.0).abs() < 1.0, "{rate:?}");
    assert!(wide(&queue) < 0.4 * at_first);
}

#[test]
fn a_lost_camera_widens_and_never_resets() {
    let mut queue = started(Some(10.0));
    let length = after(&mut queue, 0, &[vec![20.0; 10], vec![55.0; 20]].concat());
    let before = queue.now().unwrap().length;
    for minute in 31..=45 {
        queue.observe(MINUTE * minute, None, Some(40.0), 4);
    }
    let gap = queue.now().unwrap().length;
    assert!(gap.high - gap.low > 2.0 * (before.high - before.low), "{before:?} then {gap:?}");
    assert!(gap.value > length * 0.7, "a gap is not nobody: {gap:?}");
}

#[test]
fn more_gone_than_came_is_an_empty_queue_and_counting_goes_on_from_there() {
    let mut queue = started(Some(10.0));
    for minute in 1..=30 {
        // A camera at the gate that counts far too many.
        queue.observe(MINUTE * minute, Some(10.0), Some(14.0), 4);
    }
    let now = queue.now().unwrap();
    assert!(now.length.low >= 0.0 && now.length.value < 15.0, "{now:?}");
    let truth = after(&mut queue, 30, &[vec![20.0; 5], vec![60.0; 15]].concat());
    let now = queue.now().unwrap();
    assert!((now.length.value - truth).abs() < 40.0, "{now:?} against {truth}");
}

#[test]
fn a_camera_that_misses_some_does_not_drift_for_ever() {
    let mut queue = started(Some(10.0));
    // Three days of traffic, one in fifty missed at the gate: 900 people would stand there by the sum.
    let mut length = 0.0_f64;
    for minute in 1..=4000 {
        let arrived = if minute % 200 < 20 { 48.0 } else { 6.0 };
        let served = (length + arrived).min(40.0);
        length += arrived - served;
        queue.observe(MINUTE * minute, Some(arrived), Some(served * 0.98), 4);
    }
    let now = queue.now().unwrap();
    assert!(now.length.value < 15.0, "{now:?}");
}

#[test]
fn time_that_stands_or_goes_back_changes_nothing() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[50.0; 20]);
    let before = queue.now();
    queue.observe(10 * MINUTE, Some(0.0), Some(0.0), 4);
    queue.observe(20 * MINUTE, Some(0.0), Some(0.0), 4);
    assert_eq!(queue.now(), before);
}

#[test]
fn a_night_without_news_ends_without_certainty() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[20.0; 20]);
    let before = queue.now().unwrap().length;
    queue.observe(MINUTE * 600, Some(4000.0), Some(0.0), 4);
    let after = queue.now().unwrap().length;
    assert!(after.high.is_finite() && after.high >= before.high, "{before:?} {after:?}");
}

#[test]
fn observations_each_second_say_what_observations_each_minute_say() {
    let (mut each_second, mut each_minute) = (started(Some(10.0)), started(Some(10.0)));
    for queue in [&mut each_second, &mut each_minute] {
        let _ = after(queue, 0, &[10.0; 15]);
    }
    for minute in 15..35_u32 {
        for second in 1..=60 {
            each_second.observe(
                Duration::from_secs(u64::from(60 * minute + second)),
                Some(50.0 / 60.0),
                Some(40.0 / 60.0),
                4,
            );
        }
        each_minute.observe(MINUTE * (minute + 1), Some(50.0), Some(40.0), 4);
    }
    let (often, seldom) = (each_second.now().unwrap(), each_minute.now().unwrap());
    assert!((often.length.value - seldom.length.value).abs() < 20.0, "{often:?} {seldom:?}");
}

#[test]
fn a_closed_gate_says_a_day_and_not_infinity() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[50.0; 5]);
    queue.observe(MINUTE * 6, Some(20.0), Some(0.0), 0);
    assert_eq!(queue.now().unwrap().wait_seconds.value, 86_400.0);
}

fn even(people: f64) -> Fan {
    let spread = people.sqrt();
    Fan {
        median: people,
        low80: people - 1.28 * spread,
        high80: people + 1.28 * spread,
        low95: (people - 1.96 * spread).max(0.0),
        high95: people + 1.96 * spread,
    }
}

#[test]
fn a_projection_grows_by_what_comes_and_shrinks_by_lanes() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[vec![20.0; 10], vec![50.0; 20]].concat());
    let arrivals = vec![even(50.0); 60];
    let four = queue.project(&arrivals, &|_| 4);
    let six = queue.project(&arrivals, &|_| 6);
    assert_eq!(four.len(), 60);
    assert!(four[59].0.median > four[4].0.median + 400.0, "{:?}", four[59].0);
    assert!(six[59].0.median < 30.0, "{:?}", six[59].0);
    // Lanes that open at minute 20 shorten the wait of who comes before them.
    let later = queue.project(&arrivals, &|minute| if minute < 20 { 4 } else { 6 });
    assert!(later[18].1.median < four[18].1.median - 30.0, "{:?} {:?}", later[18].1, four[18].1);
    for (queue, wait) in four.iter().chain(&six) {
        for fan in [queue, wait] {
            let order = [fan.low95, fan.low80, fan.median, fan.high80, fan.high95];
            assert!(order[0] >= 0.0 && order.is_sorted(), "{fan:?}");
        }
    }
    assert_eq!(queue.project(&arrivals, &|_| 4), four, "the same question has the same answer");
}

#[test]
fn counts_that_littles_law_denies_are_flagged() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[vec![20.0; 20], vec![50.0; 30]].concat());
    assert_eq!(queue.drift(), None);
    // Staff count eighty where three hundred were believed: the curves and the belief are apart from now on.
    queue.count(80.0, 5.0);
    for minute in 51..=70 {
        queue.observe(MINUTE * minute, Some(40.0), Some(40.0), 4);
    }
    assert!(queue.drift().is_some_and(|ratio| ratio < 0.7), "{:?}", queue.drift());
}

#[test]
fn waits_are_told_of_known_queues_only() {
    let (mut known, unknown) = (started(Some(10.0)), Queue::new(lanes(None)));
    let _ = after(&mut known, 0, &[vec![20.0; 10], vec![50.0; 20]].concat());
    let (a, b) = (Name::new("gate-a").unwrap(), Name::new("gate-b").unwrap());
    let waits = waits([(&a, &known), (&b, &unknown)]);
    assert_eq!(waits.keys().collect::<Vec<_>>(), [&a]);
    assert!(waits[&a] > 3 * MINUTE && waits[&a] < 8 * MINUTE, "{waits:?}");
}

#[test]
fn people_who_pass_where_no_lane_is_said_to_be_open_break_nothing() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[20.0; 15]);
    let rate = queue.rate_per_lane_minute().value;
    // Staff said that all lanes are closed, and forty a minute go through all the same.
    for minute in 16..=35 {
        queue.observe(MINUTE * minute, Some(40.0), Some(40.0), 0);
    }
    let now = queue.now().unwrap();
    assert_eq!(now.lanes_open, 0, "what staff said is told");
    assert!(now.wait_seconds.value < 120.0, "{now:?}");
    assert!((30.0..60.0).contains(&now.service_per_minute.value), "{now:?}");
    assert!(
        (queue.rate_per_lane_minute().value / rate - 1.0).abs() < 0.25,
        "a rate is not learnt from lanes that are not there"
    );
    // Nobody goes through any more: closed is closed.
    for minute in 36..=60 {
        queue.observe(MINUTE * minute, Some(1.0), Some(0.0), 0);
    }
    assert_eq!(queue.now().unwrap().wait_seconds.value, 86_400.0);
}

#[test]
fn a_lane_that_nobody_told_of_is_not_a_lane_that_is_twice_as_fast() {
    let mut queue = started(Some(10.0));
    let _ = after(&mut queue, 0, &[vec![20.0; 15], vec![50.0; 10]].concat());
    assert_eq!(queue.at_work(4), 4);
    assert_eq!(queue.at_work(2), 4, "forty a minute are not two lanes");
}
