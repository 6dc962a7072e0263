//! What counting promises, from tracks to minutes.

use super::*;
use crate::{
    capture::frame::Camera,
    flow::told::Counting,
    infer::sighting::{Left, TrackId, Tracked},
};
use std::{path::Path, time::SystemTime};
use tally::GateTally;
use usher_config::count::Side;
use usher_models::image::{Rect, Size};

const SIZE: Size = Size { width: 1280, height: 720 };

pub(super) fn config(cameras: &[(&str, &str)], record: &Path) -> Config {
    let of: String = cameras
        .iter()
        .map(|(name, count)| format!("  {name}: {{ url: /dev/video0, count: {{ {count} }} }}\n"))
        .collect();
    let names: Vec<&str> = cameras.iter().map(|(name, _)| *name).collect();
    let text = format!(
        "site: a\ncameras:\n{of}gates:\n  gate-b: {{ cameras: [{}]{} }}\nflow: {{ record: \"{}\" }}\n",
        names.join(", "),
        if of.contains("at: back") { ", lanes: 4" } else { "" },
        record.display()
    );
    usher_config::from_text(&text, "test.yaml", Path::new("")).unwrap()
}

/// 2026-07-24 18:00 in Seoul, and so many seconds.
pub(super) fn moment(seconds: f64) -> Moment {
    let steady = Duration::from_secs_f64(seconds);
    Moment { steady, wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_784_883_600) + steady }
}

fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").unwrap()
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn camera(of: &str) -> Arc<Camera> {
    let (zone, liveness) = (crate::capture::frame::Zone::default(), usher_config::decide::Liveness::Off);
    Arc::new(Camera { name: name(of), gate: name("gate-b"), zone, liveness, identifies: false })
}

fn tracked(of: &str, at: Moment, people: &[(u64, f32, f32)]) -> Passing {
    let rect = |x: f32, y: f32| Rect { x: x - 30.0, y: y - 40.0, width: 60.0, height: 80.0 };
    let people = people.iter().map(|(track, x, y)| (TrackId(*track), rect(*x, *y))).collect();
    Passing::Tracked(Tracked { camera: camera(of), taken: at, size: SIZE, people })
}

fn left(of: &str, track: u64, at: Moment) -> Passing {
    Passing::Left(Left { camera: camera(of), track: TrackId(track), from: at, to: at })
}

/// A counter and the time that it was last told.
pub(super) struct Run {
    pub(super) counter: Counter,
    pub(super) now: f64,
    track: u64,
}

impl Run {
    pub(super) fn new(config: &Config) -> Self {
        Self { counter: Counter::new(config, seoul(), moment(0.0)), now: 0.0, track: 0 }
    }

    pub(super) fn gate(&self) -> GateTally {
        self.counter.tallies().gates_at(moment(self.now))[&name("gate-b")].clone()
    }

    /// So many seconds in which the cameras `of` see nobody.
    pub(super) fn idle(&mut self, seconds: f64, of: &[&str]) {
        let until = self.now + seconds;
        while self.now < until - 1e-6 {
            self.now += 0.25;
            of.iter().for_each(|of| self.counter.hear(&tracked(of, moment(self.now), &[]), moment(self.now)));
            self.counter.turn(moment(self.now));
        }
    }

    /// Somebody walks past the cameras `of`, from `from` to `to` (pixels downwards), in two seconds.
    pub(super) fn walk(&mut self, from: f32, to: f32, of: &[&str]) {
        self.track += 10;
        for step in 0..=16 {
            self.now += 0.125;
            let y = from + (to - from) * step as f32 / 16.0;
            for (number, of) in of.iter().enumerate() {
                let people = [(self.track + number as u64, 640.0, y)];
                self.counter.hear(&tracked(of, moment(self.now), &people), moment(self.now));
            }
            self.counter.turn(moment(self.now));
        }
        for (number, of) in of.iter().enumerate() {
            let gone = left(of, self.track + number as u64, moment(self.now));
            self.counter.hear(&gone, moment(self.now));
        }
    }
}

pub(super) const LINE: &str = "line: [[0, 0.5], [1, 0.5]]";

#[test]
fn without_a_key_whoever_leaves_the_picture_has_entered_once() {
    let mut run = Run::new(&config(&[("c", "")], Path::new("x")));
    run.idle(5.0, &["c"]);
    run.walk(100.0, 600.0, &["c"]);
    assert_eq!(run.gate().entered_total, 0, "they may come back");
    run.idle(3.0, &["c"]);
    let gate = run.gate();
    assert_eq!((gate.entered_total, gate.left_total, gate.inside), (1, 0, None));
    assert_eq!((gate.entered_last_minute, gate.left_last_minute), (Some(1), None));
    run.idle(70.0, &["c"]);
    assert_eq!((run.gate().entered_last_minute, run.gate().counting), (Some(0), Counting::Whole));
    assert_eq!(run.counter.tallies().occupancy(&name("gate-b")), Some(0));
}

#[test]
fn who_is_lost_and_found_again_near_the_line_crosses_once() {
    for lost in [200.0, 330.0, 350.0, 370.0, 400.0] {
        let mut run = Run::new(&config(&[("c", LINE)], Path::new("x")));
        run.idle(1.0, &["c"]);
        // Nine tenths of a second without a face, and a new number afterwards.
        for step in 0..40u64 {
            run.now += 0.1;
            let y = 100.0 + 14.0 * step as f32;
            let hidden = (lost..lost + 126.0).contains(&y);
            let people = if hidden { vec![] } else { vec![(if y < lost { 1 } else { 2 }, 640.0, y)] };
            run.counter.hear(&tracked("c", moment(run.now), &people), moment(run.now));
        }
        run.idle(15.0, &["c"]);
        assert_eq!((run.gate().entered_total, run.gate().left_total), (1, 0), "lost at {lost}");
    }
}

#[test]
fn who_turns_back_counts_nothing_and_who_goes_out_again_counts_both_ways() {
    let mut run = Run::new(&config(&[("c", LINE)], Path::new("x")));
    for step in 0..40 {
        run.now += 0.1;
        let y = 200.0 + 15.0 * (if step < 20 { step } else { 40 - step }) as f32;
        run.counter.hear(&tracked("c", moment(run.now), &[(1, 640.0, y)]), moment(run.now));
    }
    run.idle(20.0, &["c"]);
    assert_eq!((run.gate().entered_total, run.gate().left_total), (0, 0));
    run.walk(100.0, 600.0, &["c"]);
    run.idle(20.0, &["c"]);
    run.walk(600.0, 100.0, &["c"]);
    run.idle(20.0, &["c"]);
    let gate = run.gate();
    assert_eq!((gate.entered_total, gate.left_total, gate.inside), (1, 1, Some(0)));
}

#[test]
fn nobody_is_inside_less_than_nobody() {
    let mut run = Run::new(&config(&[("c", LINE)], Path::new("x")));
    for _ in 0..3 {
        run.walk(600.0, 100.0, &["c"]);
        run.idle(5.0, &["c"]);
    }
    run.walk(100.0, 600.0, &["c"]);
    run.idle(5.0, &["c"]);
    let gate = run.gate();
    assert_eq!((gate.entered_total, gate.left_total, gate.inside), (1, 3, Some(1)));
}

#[test]
fn cameras_that_look_at_one_place_count_whoever_both_see_once() {
    let place = format!("{LINE}, place: door");
    let mut run = Run::new(&config(&[("c", &place), ("d", &place)], Path::new("x")));
    for _ in 0..5 {
        run.walk(100.0, 600.0, &["c", "d"]);
        run.idle(4.0, &["c", "d"]);
    }
    assert_eq!(run.gate().entered_total, 5);
    let rates = run.counter.tallies().cameras_per_minute(moment(run.now));
    assert_eq!((rates[&name("c")], rates[&name("d")]), (5.0, 5.0));
    let mut apart = Run::new(&config(&[("c", LINE), ("d", LINE)], Path::new("x")));
    apart.walk(100.0, 600.0, &["c", "d"]);
    apart.idle(4.0, &["c", "d"]);
    assert_eq!(apart.gate().entered_total, 2, "without a place each counts for itself");
}

#[test]
fn a_camera_lost_mid_event_makes_a_gap_and_never_a_zero() {
    let mut run = Run::new(&config(&[("c", LINE)], Path::new("x")));
    run.idle(130.0, &["c"]);
    assert_eq!(run.gate().counting, Counting::Whole);
    run.walk(100.0, 600.0, &["c"]);
    run.idle(20.0, &["c"]);
    // Ten seconds of darkness; half a minute to come back.
    run.idle(10.0, &[]);
    let gate = run.gate();
    assert_eq!((gate.counting, gate.entered_last_minute, gate.lost), (Counting::None, None, vec![name("c")]));
    run.idle(30.0, &["c"]);
    assert_eq!(run.gate().counting, Counting::Partial, "a part of the last minute was not seen");
    run.idle(150.0, &["c"]);
    let minutes = run.counter.tallies().minutes(&name("gate-b"));
    let entered: Vec<Option<u32>> = minutes.iter().map(|minute| minute.entered).collect();
    assert_eq!(entered[..5], [Some(0), Some(0), None, Some(0), Some(0)], "{entered:?}");
    assert_eq!(run.gate().entered_total, 1, "who was counted in a minute with a gap counts in the day's total");
}

#[test]
fn a_gate_with_one_of_two_lanes_dark_is_partial_and_says_which() {
    let mut run = Run::new(&config(&[("c", LINE), ("d", LINE)], Path::new("x")));
    run.idle(140.0, &["c", "d"]);
    run.idle(140.0, &["c"]);
    let gate = run.gate();
    assert_eq!((gate.counting, gate.lost), (Counting::Partial, vec![name("d")]));
    let minutes = run.counter.tallies().minutes(&name("gate-b"));
    let counting: Vec<Counting> = minutes.iter().map(|minute| minute.counting).collect();
    assert_eq!(counting, [Counting::Whole, Counting::Whole, Counting::Partial, Counting::Partial]);
    let place = format!("{LINE}, place: door");
    let mut run = Run::new(&config(&[("c", &place), ("d", &place)], Path::new("x")));
    run.idle(140.0, &["c", "d"]);
    run.idle(140.0, &["c"]);
    assert_eq!(run.gate().counting, Counting::Whole, "the other sees the same place");
}

#[test]
fn a_kill_and_a_restart_lose_no_days_total() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&[("c", LINE)], folder.path());
    let health = Arc::new(Health::of([]));
    let mut run = Run { counter: Counter::recorded(&config, seoul(), moment(0.0), &health), now: 0.0, track: 0 };
    for _ in 0..4 {
        run.walk(100.0, 600.0, &["c"]);
        run.idle(20.0, &["c"]);
    }
    run.walk(600.0, 100.0, &["c"]);
    run.idle(20.0, &["c"]);
    let before = run.gate();
    assert_eq!((before.entered_total, before.left_total, before.inside), (4, 1, Some(3)));
    // Killed: what the disk was given is there, nothing else is said.
    run.counter.writer.take().unwrap().finish();
    let again = moment(run.now + 30.0);
    let counter = Counter::recorded(&config, seoul(), again, &health);
    let after = counter.tallies().gates_at(again)[&name("gate-b")].clone();
    assert_eq!((after.entered_total, after.left_total, after.inside), (4, 1, Some(3)));
    let minutes = |counter: &Counter| counter.tallies().minutes(&name("gate-b"));
    assert_eq!(minutes(&counter), minutes(&run.counter));
    // A minute that nobody closed adds up on disk, and is a gap.
    assert!(minutes(&counter).iter().all(|minute| minute.entered.is_some()));
    assert_eq!(health.flow(), None);
}

#[test]
fn a_disk_that_takes_nothing_stops_nobody_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("flow");
    std::fs::write(&place, "in the way").unwrap();
    let config = config(&[("c", LINE)], &place);
    let health = Arc::new(Health::of([]));
    let mut run = Run { counter: Counter::recorded(&config, seoul(), moment(0.0), &health), now: 0.0, track: 0 };
    run.walk(100.0, 600.0, &["c"]);
    run.idle(80.0, &["c"]);
    assert_eq!(run.gate().entered_total, 1);
    run.counter.end(moment(run.now));
    let trouble = health.flow().unwrap();
    assert!(trouble.contains("rows wait in memory") && trouble.contains("make room in `flow.record`"), "{trouble}");
}

#[test]
fn a_day_begins_at_four_by_the_venues_clocks() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&[("c", LINE)], folder.path());
    let tallies = Tallies::of(&config, seoul(), moment(0.0));
    let count = |at: f64| {
        tallies.turn(moment(at), false);
        tallies.cross(&name("c"), border::Way::In, Duration::from_secs_f64(at), moment(at), true);
        tallies.gates_at(moment(at))[&name("gate-b")].entered_total
    };
    let hour = 3600.0;
    // Counting began at 18:00.
    assert_eq!((count(1.0), count(5.9 * hour), count(9.9 * hour)), (1, 2, 3));
    assert_eq!((count(10.1 * hour), count(20.0 * hour)), (1, 2));
    let gate = &tallies.gates_at(moment(20.0 * hour))[&name("gate-b")];
    assert_eq!((gate.entered_total, gate.inside), (2, Some(2)));
}

#[test]
fn a_wall_that_jumps_back_and_forth_loses_nobody_and_makes_no_minute_twice() {
    let mut run = Run::new(&config(&[("c", LINE)], Path::new("x")));
    run.idle(100.0, &["c"]);
    run.walk(100.0, 600.0, &["c"]);
    run.idle(100.0, &["c"]);
    let tallies = run.counter.tallies();
    // The wall goes back ten minutes, and after four of them to where it should be.
    let off = |at: f64| Moment { wall: moment(at).wall - Duration::from_secs(600), ..moment(at) };
    for second in 0..240 {
        let at = run.now + f64::from(second);
        tallies.saw(&name("c"), off(at), 0);
        tallies.turn(off(at), false);
    }
    tallies.cross(&name("c"), border::Way::In, off(run.now + 230.0).steady, off(run.now + 239.0), true);
    run.now += 240.0;
    for second in 0..240 {
        let at = run.now + f64::from(second);
        tallies.saw(&name("c"), moment(at), 0);
        tallies.turn(moment(at), false);
    }
    run.now += 240.0;
    assert_eq!(run.gate().entered_total, 2);
    let minutes = tallies.minutes(&name("gate-b"));
    assert!(minutes.windows(2).all(|pair| pair[0].at < pair[1].at));
    let entered: u32 = minutes.iter().filter_map(|minute| minute.entered).sum();
    assert!(entered <= 2, "{minutes:?}");
}

#[test]
fn who_comes_to_the_back_of_a_queue_has_come_and_not_entered() {
    let folder = tempfile::tempdir().unwrap();
    let cameras = [("c", LINE), ("back", "line: [[0, 0.5], [1, 0.5]], at: back")];
    let text = config(&cameras, folder.path());
    let mut run = Run::new(&text);
    run.idle(5.0, &["c", "back"]);
    for _ in 0..3 {
        run.walk(100.0, 600.0, &["back"]);
        run.idle(4.0, &["c", "back"]);
    }
    // One turns back, one is let in.
    run.walk(600.0, 100.0, &["back"]);
    run.idle(4.0, &["c", "back"]);
    run.walk(100.0, 600.0, &["c"]);
    run.idle(120.0, &["c", "back"]);
    let gate = run.gate();
    assert_eq!((gate.entered_total, gate.left_total), (1, 0));
    let back = gate.back.unwrap();
    assert_eq!((back.joined, back.turned, back.counting), (3, 1, Counting::Whole));
    let sum = |minutes: &[tally::Minute]| minutes.iter().filter_map(|minute| minute.entered).sum::<u32>();
    let tallies = run.counter.tallies();
    assert_eq!(sum(&tallies.minutes(&name("gate-b"))), 1, "who came in is not who came");
    assert!(sum(&tallies.arrivals(&name("gate-b"))) <= 2);
    // A back that is lost is told, and the gate counts on.
    run.idle(10.0, &["c"]);
    let gate = run.gate();
    assert_eq!((gate.counting, gate.back.unwrap().counting), (Counting::Whole, Counting::None));
    assert_eq!(gate.lost, [name("back")]);
}

#[test]
fn the_record_keeps_both_ends_of_a_queue_apart() {
    let at = Timestamp::UNIX_EPOCH;
    let row = |entered, side| Row {
        at,
        gate: name("gate-b"),
        entered,
        left: 1,
        seen: record::Seen::Told(Counting::Whole),
        side,
    };
    let rows = vec![row(4, Side::Gate), row(9, Side::Back)];
    let folder = tempfile::tempdir().unwrap();
    let mut record = record::Record::new(folder.path(), Duration::from_secs(86_400), seoul());
    record.write(rows.clone()).unwrap();
    assert_eq!(record::read(folder.path(), jiff::civil::Date::MIN).unwrap().rows, rows);
    let cameras = [("c", LINE), ("back", "line: [[0, 0.5], [1, 0.5]], at: back")];
    let counter = Counter::new(&config(&cameras, folder.path()), seoul(), moment(0.0));
    counter.tallies().load(&rows);
    assert_eq!(record::rows_of("2026-07-24T16:03:00Z,gate-b,4,0,whole,front\n").unread, 1);
}
