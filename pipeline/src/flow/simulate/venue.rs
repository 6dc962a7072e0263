//! A simulated venue, minute by minute: lanes and steering may be decided as it goes.

use crate::flow::simulate::{
    GateDays, LaneChange, Minute, Settings, Simulated,
    arrivals::{Coming, Person, drawn},
    counted::Cameras,
    lanes::{AtWork, Built, Through},
    matches,
};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_config::value::Name;

/// Minutes before and after a kick-off in which a gate is staffed for a match.
const STAFFED: (i64, i64) = (-130, 75);

/// People a lane that still wait when lanes may close.
const FEW: u32 = 6;

/// Visitors who are sent from one gate to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    /// Place of the gate they would have taken.
    pub from: usize,
    /// Place of the one they take.
    pub to: usize,
    /// The share of those who arrive that heeds it, 0..=1.
    pub share: f64,
}

/// A venue on its way through the days.
pub struct Venue {
    zone: TimeZone,
    start: Timestamp,
    faults: bool,
    changes: Vec<LaneChange>,
    gates: Vec<(Built, GateDays)>,
    matches: Vec<crate::flow::simulate::Match>,
    days: std::vec::IntoIter<Zoned>,
    today: Option<Today>,
    random: ChaCha8Rng,
}

struct Today {
    start: Timestamp,
    minute: usize,
    minutes: usize,
    planned: Vec<Vec<u32>>,
    /// Lanes that may be open at most: fewer than there are while one is broken.
    whole: Vec<Vec<u32>>,
    coming: Vec<Coming>,
    next: Vec<usize>,
    work: Vec<AtWork>,
    cameras: Vec<Cameras>,
    /// Index of today's first minute in the gates' minutes.
    first: usize,
    /// By gate and minute of arrival: seconds waited by how many.
    waited: Vec<Vec<(f64, u32)>>,
    /// By gate, in order of arrival: when, and seconds waited.
    each: Vec<Vec<(f64, f64)>>,
    random: ChaCha8Rng,
}

impl Venue {
    /// A venue before its first minute.
    pub fn new(settings: &Settings) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let day = |number: u32| {
            let date = settings.first.checked_add(jiff::Span::new().days(i64::from(number))).unwrap_or(settings.first);
            date.to_zoned(settings.zone.clone()).expect("dates of this century have a midnight")
        };
        let days: Vec<Zoned> = (0..settings.days.max(1)).map(day).collect();
        let gate = |index: usize| {
            let built = Built::drawn(index, &mut random);
            let letter = char::from(b'a' + index as u8);
            let name = Name::new(&format!("gate-{letter}")).expect("a letter fits into a name");
            let (lanes, rate, limit) = (built.lanes, built.rate, built.limit);
            (built, GateDays { name, lanes, rate, limit, minutes: Vec::new() })
        };
        let gates = (0..settings.gates.clamp(1, 26) as usize).map(gate).collect();
        let mut venue = Self {
            zone: settings.zone.clone(),
            start: days[0].timestamp(),
            faults: settings.faults,
            changes: settings.changes.clone(),
            gates,
            matches: Vec::new(),
            days: days.into_iter(),
            today: None,
            random,
        };
        venue.next_day();
        venue
    }

    fn next_day(&mut self) {
        self.today = self.days.next().map(|day| self.dawn(&day));
    }

    fn dawn(&mut self, day: &Zoned) -> Today {
        // Each day has a stream of its own, so that what is decided on one changes nothing on the next.
        let mut random = ChaCha8Rng::seed_from_u64(self.random.random());
        let start = day.timestamp();
        let tomorrow = day.tomorrow().and_then(|next| next.start_of_day()).expect("there is a tomorrow").timestamp();
        let minutes = (tomorrow.duration_since(start).as_secs() / 60) as usize;
        let built: Vec<Built> = self.gates.iter().map(|(built, _)| built.clone()).collect();
        let today = matches::drawn(day, &built, &mut random);
        let coming = drawn(day, minutes, &today, &built, &mut random);
        let kick_offs: Vec<i64> = today.iter().map(|game| game.kick_off.duration_since(start).as_secs() / 60).collect();
        let busy = usize::try_from(kick_offs.last().copied().unwrap_or(0)).unwrap_or(0);
        let is_staffed =
            |minute: usize| kick_offs.iter().any(|at| (STAFFED.0..STAFFED.1).contains(&(minute as i64 - at)));
        let plan = |built: &Built| {
            (0..minutes).map(|m| if is_staffed(m) { built.match_open } else { built.base_open }).collect()
        };
        let mut broken = |built: &Built| {
            let mut whole = vec![built.lanes; minutes];
            if random.random_bool(0.3) {
                let begins = (busy + random.random_range(0..100)).saturating_sub(100);
                let ends = (begins + 20).min(minutes);
                whole[begins.min(ends)..ends].fill(built.match_open.saturating_sub(1));
            }
            whole
        };
        let whole = built.iter().map(&mut broken).collect();
        let first = self.gates[0].1.minutes.len();
        self.matches.extend(today);
        Today {
            start,
            minute: 0,
            minutes,
            planned: built.iter().map(plan).collect(),
            whole,
            next: vec![0; coming.len()],
            waited: vec![vec![(0.0, 0); minutes]; coming.len()],
            each: vec![Vec::new(); coming.len()],
            coming,
            work: built.iter().map(|built| AtWork::new(built, &mut random)).collect(),
            cameras: built.iter().map(|_| Cameras::drawn(self.faults, minutes, busy, &mut random)).collect(),
            first,
            random: ChaCha8Rng::seed_from_u64(random.random()),
        }
    }

    /// Whether there is no further minute.
    pub fn is_over(&self) -> bool {
        self.today.is_none()
    }

    /// The gates and their minutes until now; the waits of the last ones are not known yet, as their people still stand.
    pub fn gates(&self) -> impl Iterator<Item = &GateDays> {
        self.gates.iter().map(|(_, days)| days)
    }

    /// The matches of the days until today.
    pub fn matches(&self) -> &[crate::flow::simulate::Match] {
        &self.matches
    }

    /// When the next minute begins.
    pub fn at(&self) -> Option<Timestamp> {
        self.today.as_ref().map(|today| today.start + SignedDuration::from_mins(today.minute as i64))
    }

    /// Lanes that are planned to be open at a gate, `ahead` minutes after the next one; the day's last where it ends before.
    pub fn planned(&self, gate: usize, ahead: usize) -> u32 {
        let planned = self.today.as_ref().map(|today| &today.planned[gate]);
        planned.and_then(|planned| planned.get(self.minute_of_day() + ahead).or(planned.last())).copied().unwrap_or(0)
    }

    fn minute_of_day(&self) -> usize {
        self.today.as_ref().map_or(0, |today| today.minute)
    }

    /// Lanes that open in the next minute where nobody advises anything: as planned, with the settings' changes; and none
    /// closes before more than a few people.
    pub fn would_open(&self) -> Vec<u32> {
        let Some(now) = self.at() else { return Vec::new() };
        let time = now.to_zoned(self.zone.clone()).time();
        let of = |(index, (built, days)): (usize, &(Built, GateDays))| {
            let due = self.changes.iter().filter(|change| change.gate == days.name && time >= change.at);
            let more: i32 = due.map(|change| change.lanes).sum();
            let planned = self.planned(index, 0).saturating_add_signed(more).min(built.lanes);
            let held = days.minutes.last().filter(|last| last.queue > FEW * last.open).map_or(0, |last| last.open);
            planned.max(held)
        };
        self.gates.iter().enumerate().map(of).collect()
    }

    /// Lets one minute pass, with so many lanes open at each gate (broken ones stay closed) and visitors steered.
    pub fn minute(&mut self, open: &[u32], steering: &[Steer]) {
        let Some(today) = &mut self.today else { return };
        let (minute, start) = (today.minute, today.minute as f64 * 60.0);
        let arriving = arriving(today, start + 60.0, steering);
        for (gate, people) in arriving.iter().enumerate() {
            let days = &mut self.gates[gate].1;
            let open = open[gate].min(today.whole[gate][minute]).min(days.lanes);
            let happened = today.work[gate].minute(start, open, people);
            for Through { arrived, served } in &happened.through {
                let waited = &mut today.waited[gate][((arrived / 60.0) as usize).min(today.minutes - 1)];
                *waited = (waited.0 + served - arrived, waited.1 + 1);
                today.each[gate].push((*arrived, served - arrived));
            }
            let served = happened.through.len() as u32;
            let cameras = &mut today.cameras[gate];
            days.minutes.push(Minute {
                at: today.start + SignedDuration::from_mins(minute as i64),
                expected: today.coming[gate].expected[minute],
                arrived: happened.arrived,
                served,
                turned: happened.turned,
                queue: happened.queue,
                wait_seconds: None,
                wait_at_end: None,
                open,
                planned: today.planned[gate][minute],
                seen_arrived: cameras
                    .count(0, minute, happened.arrived)
                    .map(|seen| seen.saturating_sub(happened.turned)),
                seen_served: cameras.count(1, minute, served),
            });
        }
        today.minute += 1;
        if today.minute == today.minutes {
            self.dusk();
        }
    }

    /// The waits of the day, now that everybody is in.
    fn dusk(&mut self) {
        if let Some(mut today) = self.today.take() {
            let waited = today.waited.iter().zip(&mut today.each);
            for ((_, days), (waited, each)) in self.gates.iter_mut().zip(waited) {
                each.sort_by(|a, b| a.0.total_cmp(&b.0));
                let minutes = days.minutes[today.first..].iter_mut();
                for ((minute, (seconds, people)), ends) in minutes.zip(waited).zip((1..).map(|n| 60.0 * f64::from(n))) {
                    minute.wait_seconds = (*people > 0).then(|| seconds / f64::from(*people));
                    minute.wait_at_end = wait_at(each, ends);
                }
            }
        }
        self.next_day();
    }

    /// All days, once they are over.
    pub fn into_simulated(self) -> Simulated {
        let gates = self.gates.into_iter().map(|(_, days)| days).collect();
        Simulated { start: self.start, zone: self.zone, matches: self.matches, gates }
    }
}

/// How long whoever comes at a time waits, of the waits of all in order: by a line between the last before and the first after it;
/// none of whoever came more than a minute away says anything.
fn wait_at(each: &[(f64, f64)], at: f64) -> Option<f64> {
    let after = each.partition_point(|(arrived, _)| *arrived < at);
    let near = |one: Option<&(f64, f64)>| one.copied().filter(|(arrived, _)| (arrived - at).abs() <= 60.0);
    let (before, after) = (near(after.checked_sub(1).and_then(|place| each.get(place))), near(each.get(after)));
    match (before, after) {
        (Some((from, first)), Some((to, last))) => Some(first + (last - first) * (at - from) / (to - from).max(1e-9)),
        (one, other) => one.or(other).map(|(_, waited)| waited),
    }
}

/// Who arrives before `until` at each gate, in order.
fn arriving(today: &mut Today, until: f64, steering: &[Steer]) -> Vec<Vec<Person>> {
    let mut arriving: Vec<Vec<Person>> = vec![Vec::new(); today.coming.len()];
    for gate in 0..today.coming.len() {
        while let Some(person) = today.coming[gate].people.get(today.next[gate]).filter(|person| person.at < until) {
            today.next[gate] += 1;
            let mut to = gate;
            for steer in steering.iter().filter(|steer| steer.from == gate) {
                if to == gate && today.random.random_bool(steer.share.clamp(0.0, 1.0)) {
                    to = steer.to;
                }
            }
            arriving[to].push(*person);
        }
    }
    for people in &mut arriving {
        people.sort_by(|a, b| a.at.total_cmp(&b.at));
    }
    arriving
}
