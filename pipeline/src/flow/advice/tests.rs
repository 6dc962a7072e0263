//! What advice promises.

use super::*;
use proptest::prelude::*;
use usher_config::decide::Lanes;

const MINUTE: Duration = Duration::from_secs(60);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A gate of eight lanes at ten people a minute each, with its queue.
struct Gate {
    name: Name,
    queue: Queue,
    length: f64,
    open: u32,
    minute: u32,
}

impl Gate {
    fn new(gate: &str, open: u32) -> Self {
        let lanes = Lanes { lanes: 8, open, rate_per_lane_minute: Some(10.0), limit: Some(5 * MINUTE) };
        let mut queue = Queue::new(lanes);
        queue.observe(Duration::ZERO, Some(0.0), Some(0.0), open);
        let mut gate = Self { name: name(gate), queue, length: 0.0, open, minute: 0 };
        gate.pass(10, 10.0);
        gate
    }

    /// Minutes pass, with so many arrivals in each.
    fn pass(&mut self, minutes: u32, arrived: f64) {
        for _ in 0..minutes {
            let served = (self.length + arrived).min(10.0 * f64::from(self.open));
            self.length += arrived - served;
            self.minute += 1;
            self.queue.observe(MINUTE * self.minute, Some(arrived), Some(served), self.open);
        }
    }

    fn at(&self) -> Duration {
        MINUTE * self.minute
    }
}

fn forecast(rate: f64) -> Vec<Fan> {
    let fan = |part: f64| (rate * part).max(0.0);
    vec![Fan { median: rate, low80: fan(0.85), high80: fan(1.15), low95: fan(0.77), high95: fan(1.25) }; 60]
}

/// What is advised at each gate, each with its forecast.
fn ask(advisor: &mut Advisor, at: Duration, gates: &[(&Gate, &[Fan])]) -> BTreeMap<Name, Vec<Advice>> {
    let opens: Vec<Box<dyn Fn(usize) -> u32>> = gates
        .iter()
        .map(|(gate, _)| -> Box<dyn Fn(usize) -> u32> {
            let open = gate.open;
            Box::new(move |_| open)
        })
        .collect();
    let views: Vec<View<'_>> = gates
        .iter()
        .zip(&opens)
        .map(|((gate, arrivals), open)| View { gate: &gate.name, queue: Some(&gate.queue), arrivals, open, lost: &[] })
        .collect();
    advisor.advise(at, &views)
}

fn kinds(advice: &[Advice]) -> Vec<AdviceKind> {
    advice.iter().map(|advice| advice.kind).collect()
}

#[test]
fn a_gate_that_fills_up_is_told_before_it_is_full() {
    let (mut advisor, mut gate, coming) = (Advisor::new(), Gate::new("gate-a", 4), forecast(60.0));
    let mut told = Vec::new();
    for _ in 0..3 {
        gate.pass(1, 60.0);
        told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
    }
    assert_eq!(kinds(&told), [AdviceKind::OverSoon, AdviceKind::OpenLanes], "{told:?}");
    let minutes = told[0].minutes.unwrap();
    // 200 people make five minutes at 40 a minute; 20 more a minute stand there than go.
    assert!((5..=15).contains(&minutes), "{told:?}");
    assert_eq!(told[0].cause, WAIT);
    assert!((2..=3).contains(&told[1].lanes.unwrap()), "{told:?}");
}

#[test]
fn over_is_the_same_cause_as_over_soon() {
    let (mut advisor, mut gate, coming) = (Advisor::new(), Gate::new("gate-a", 4), forecast(60.0));
    let mut seen = Vec::new();
    for _ in 0..25 {
        gate.pass(1, 60.0);
        let told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
        let of: Vec<AdviceKind> = told.iter().filter(|advice| advice.cause == WAIT).map(|advice| advice.kind).collect();
        assert!(of.len() <= 1);
        seen.extend(of);
    }
    seen.dedup();
    assert_eq!(seen, [AdviceKind::OverSoon, AdviceKind::Over]);
}

#[test]
fn lanes_that_were_opened_end_the_advice_to_open_them() {
    let (mut advisor, mut gate, coming) = (Advisor::new(), Gate::new("gate-a", 4), forecast(60.0));
    for _ in 0..6 {
        gate.pass(1, 60.0);
        let told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
        gate.open += told.iter().find(|advice| advice.kind == AdviceKind::OpenLanes).map_or(0, |a| a.lanes.unwrap());
    }
    assert!((6..=7).contains(&gate.open), "{}", gate.open);
    for _ in 0..30 {
        gate.pass(1, 60.0);
        let told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
        assert!(!kinds(&told).contains(&AdviceKind::OpenLanes), "{told:?}");
    }
}

#[test]
fn lanes_close_only_after_a_long_quiet_and_one_always_stays() {
    let (mut advisor, mut gate, coming) = (Advisor::new(), Gate::new("gate-a", 6), forecast(12.0));
    let mut first = None;
    for _ in 0..30 {
        gate.pass(1, 12.0);
        let told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
        if let Some(advice) = told.iter().find(|advice| advice.kind == AdviceKind::CloseLanes) {
            first = first.or(Some((gate.minute, advice.lanes.unwrap())));
        }
    }
    let (minute, fewer) = first.expect("twelve a minute need no six lanes");
    assert!(minute >= 20, "advised after {minute} minutes");
    assert!((3..6).contains(&fewer), "{fewer}");
}

#[test]
fn visitors_are_sent_where_there_is_room_and_not_where_there_is_none() {
    let (mut full, mut calm, mut busy) = (Gate::new("gate-a", 8), Gate::new("gate-b", 8), Gate::new("gate-c", 8));
    let (many, few, some) = (forecast(110.0), forecast(20.0), forecast(84.0));
    let mut advisor = Advisor::new();
    let mut told = BTreeMap::new();
    for _ in 0..12 {
        full.pass(1, 110.0);
        calm.pass(1, 20.0);
        busy.pass(1, 84.0);
        told = ask(&mut advisor, full.at(), &[(&full, &many), (&calm, &few), (&busy, &some)]);
    }
    let steer: Vec<&Advice> = told[&full.name].iter().filter(|advice| advice.cause == STEER).collect();
    assert_eq!(steer.len(), 1, "{told:?}");
    assert_eq!(steer[0].gate.as_ref(), Some(&calm.name));
    assert!(told[&calm.name].iter().all(|advice| advice.kind == AdviceKind::CloseLanes), "{told:?}");
}

#[test]
fn a_lost_camera_is_told_at_once_and_beside_nothing_else_of_its_cause() {
    let (gate, lost) = (name("gate-a"), [name("gate-a-1"), name("gate-a-2")]);
    let view = View { gate: &gate, queue: None, arrivals: &[], open: &|_| 1, lost: &lost };
    let told = Advisor::new().advise(Duration::ZERO, &[view]).remove(&gate).unwrap();
    assert_eq!(kinds(&told), [AdviceKind::CameraLost]);
    assert!(told[0].text.contains("gate-a-1, gate-a-2 do not see"));
}

#[test]
fn a_question_changes_nothing_and_says_what_would_be() {
    let mut gate = Gate::new("gate-a", 4);
    gate.pass(15, 60.0);
    let coming = forecast(60.0);
    let ask = |change: &Change| what_if(&gate.queue, &coming, &|_| 4, change).unwrap();
    let (as_is, two) = (ask(&Change::default()), ask(&Change { at_least: 6, lanes_in: 10, ..Change::default() }));
    let fewer = ask(&Change { more_arrivals: -30.0, ..Change::default() });
    assert_eq!(as_is, ask(&Change::default()));
    assert!(two.longest(30) < as_is.longest(30) * 0.5, "{} {}", two.longest(30), as_is.longest(30));
    assert!(fewer.longest(15) < as_is.longest(15));
    assert_eq!(as_is.horizons.last().unwrap().minutes, 60);
    assert_eq!(what_if(&gate.queue, &[], &|_| 4, &Change::default()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever happens at two gates: one advice of a cause, no more lanes than there are, nobody sent where it is over.
    #[test]
    fn advice_keeps_its_promises(
        opens in (1..=8_u32, 1..=8_u32),
        rates in prop::collection::vec((0.0..110.0_f64, 0.0..110.0_f64), 4),
        noise in prop::collection::vec(-0.3..0.3_f64, 48),
    ) {
        let (mut a, mut b) = (Gate::new("gate-a", opens.0), Gate::new("gate-b", opens.1));
        let mut advisor = Advisor::new();
        for (minute, noise) in noise.iter().enumerate() {
            let (to_a, to_b) = rates[minute / 12];
            a.pass(1, (to_a * (1.0 + noise)).round());
            b.pass(1, (to_b * (1.0 - noise)).round());
            let (of_a, of_b) = (forecast(to_a), forecast(to_b));
            let told = ask(&mut advisor, a.at(), &[(&a, &of_a), (&b, &of_b)]);
            for (gate, other, of_other) in [(&a, &b, &of_b), (&b, &a, &of_a)] {
                let advice = &told[&gate.name];
                let mut causes: Vec<&str> = advice.iter().map(|advice| advice.cause.as_str()).collect();
                causes.sort_unstable();
                causes.dedup();
                prop_assert_eq!(causes.len(), advice.len());
                for advice in advice {
                    match advice.kind {
                        AdviceKind::OpenLanes => prop_assert!((1..=8 - gate.open).contains(&advice.lanes.unwrap())),
                        AdviceKind::CloseLanes => prop_assert!((1..gate.open).contains(&advice.lanes.unwrap())),
                        AdviceKind::Steer => {
                            prop_assert_eq!(advice.gate.as_ref(), Some(&other.name));
                            let open = other.open;
                            let there = what_if(&other.queue, of_other, &|_| open, &Change::default()).unwrap();
                            prop_assert_eq!(there.over_in(300.0), None);
                            prop_assert!(other.queue.now().unwrap().wait_seconds.value <= 300.0);
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// A wait that hovers around the limit makes an alert that comes or goes six times an hour at most.
    #[test]
    fn noise_around_the_limit_makes_no_alert_flap(noise in prop::collection::vec(-12.0..12.0_f64, 90)) {
        let (mut advisor, mut gate, coming) = (Advisor::new(), Gate::new("gate-a", 4), forecast(40.0));
        gate.pass(10, 59.0);
        let (mut was, mut changes) = (false, Vec::new());
        for noise in noise {
            // Arrivals keep the queue about where five minutes are waited.
            let home = (200.0 - gate.length) / 4.0;
            gate.pass(1, (40.0 + home + noise).max(0.0).round());
            let told = ask(&mut advisor, gate.at(), &[(&gate, &coming)]).remove(&gate.name).unwrap();
            let is = told.iter().any(|advice| advice.cause == WAIT);
            if is != was {
                changes.push((gate.minute, is));
            }
            was = is;
        }
        for pair in changes.windows(2) {
            prop_assert!(pair[1].0 - pair[0].0 >= if pair[0].1 { 5 } else { 2 }, "{changes:?}");
        }
    }
}

#[test]
fn no_lane_is_to_close_before_a_rise_however_short_it_is() {
    let (mut advisor, mut gate) = (Advisor::new(), Gate::new("gate-a", 4));
    // Calm now and in an hour; in between a train.
    let mut arrivals = forecast(5.0);
    arrivals[25..35].fill(forecast(20.0)[0]);
    for _ in 0..40 {
        gate.pass(1, 5.0);
        let told = ask(&mut advisor, gate.at(), &[(&gate, &arrivals)]);
        assert!(told[&gate.name].is_empty(), "{told:?}");
    }
    // The same hour without it.
    let calm = forecast(5.0);
    for _ in 0..12 {
        gate.pass(1, 5.0);
        let _ = ask(&mut advisor, gate.at(), &[(&gate, &calm)]);
    }
    let told = ask(&mut advisor, gate.at(), &[(&gate, &calm)]);
    assert_eq!(told[&gate.name][0].kind, AdviceKind::CloseLanes);
}

#[test]
fn what_was_closed_as_advised_is_open_again_before_the_limit_is_in_sight() {
    let (mut advisor, mut gate) = (Advisor::new(), Gate::new("gate-a", 4));
    let calm = forecast(5.0);
    for _ in 0..13 {
        gate.pass(1, 5.0);
        let _ = ask(&mut advisor, gate.at(), &[(&gate, &calm)]);
    }
    gate.open = 1;
    gate.pass(1, 5.0);
    advisor.look_anew();
    let told = ask(&mut advisor, gate.at(), &[(&gate, &calm)]);
    assert!(told[&gate.name].is_empty(), "closed as advised: {told:?}");
    // More may come than one lane lets in, and more likely than not will not.
    let wide = Fan { median: 8.0, low80: 5.0, high80: 14.0, low95: 4.0, high95: 18.0 };
    let told = ask(&mut advisor, gate.at() + MINUTE, &[(&gate, &[wide; 60])]);
    let advice = &told[&gate.name];
    assert_eq!((advice.len(), advice[0].kind, &*advice[0].cause), (1, AdviceKind::OpenLanes, LANES), "{advice:?}");
    // Staff came: it ends with that.
    gate.open = 4;
    gate.pass(1, 8.0);
    advisor.look_anew();
    let told = ask(&mut advisor, gate.at() + MINUTE, &[(&gate, &[wide; 60])]);
    assert!(told[&gate.name].is_empty(), "{told:?}");
}
