//! What the turns promise, on a clock that is a number.

use super::*;
use std::time::SystemTime;
use usher_models::image::{Matrix, Plane, Planes, Range, Size, View};

const PERIOD: Duration = Duration::from_micros(66_667);
/// Fifteen a second, calm or not.
const PACE: Pace = Pace { period: PERIOD, calm: PERIOD, unchanged: Duration::from_secs(1) };

fn at(ms: u64) -> Moment {
    Moment { steady: Duration::from_millis(ms), wall: SystemTime::UNIX_EPOCH }
}

fn name(number: usize) -> Name {
    Name::new(&format!("cam-{number}")).unwrap()
}

/// One camera: frames a second, and what its pictures hold.
type Simulated = (u64, Need);

/// Looks of each camera in `seconds` of a worker that needs `cost_ms` for each; every camera keeps its newest frame.
fn looks(cameras: &[Simulated], cost_ms: u64, seconds: u64) -> Vec<Vec<u64>> {
    let mut turns = Turns::new(Pace { unchanged: Duration::ZERO, ..PACE });
    let mut seats: Vec<Option<u64>> = vec![None; cameras.len()];
    let (mut looks, mut free_at) = (vec![Vec::new(); cameras.len()], 0);
    for now in 0..seconds * 1000 {
        for (seat, (camera, (fps, _))) in seats.iter_mut().zip(cameras.iter().enumerate()) {
            let interval = 1000 / fps;
            if (now + 7 * camera as u64).is_multiple_of(interval) {
                *seat = Some(now);
            }
        }
        while now >= free_at {
            let waiting = seats.iter().enumerate().filter_map(|(camera, seat)| Some((camera, (*seat)?)));
            let first = waiting.max_by_key(|(camera, taken)| turns.rank(&name(*camera), at(*taken)));
            let Some((camera, taken)) = first else { break };
            seats[camera] = None;
            if turns.call(&name(camera), at(taken), || None) == Call::Look {
                turns.found(&name(camera), cameras[camera].1);
                looks[camera].push(now);
                free_at = now + cost_ms;
            }
        }
    }
    looks
}

fn longest_gap(times: &[u64]) -> u64 {
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(u64::MAX)
}

#[test]
fn below_capacity_every_camera_is_looked_at_at_its_rate_and_not_above() {
    for (fps, least, most) in [(10, 99, 101), (15, 148, 152), (25, 148, 152), (50, 148, 152)] {
        for times in looks(&[(fps, Need::Idle), (fps, Need::Undecided), (fps, Need::Followed)], 5, 10) {
            assert!((least..=most).contains(&times.len()), "{fps} fps: {} looks in 10 s", times.len());
        }
    }
}

#[test]
fn a_calm_camera_has_its_own_rate_until_somebody_undecided_is_there() {
    let mut turns = Turns::new(Pace { calm: Duration::from_millis(125), ..PACE });
    let mut looked = [0; 2];
    for i in 0..300 {
        let second = usize::from(i >= 150);
        if turns.call(&name(0), at(i * 1000 / 15), || None) == Call::Look {
            turns.found(&name(0), if i >= 150 { Need::Undecided } else { Need::Followed });
            looked[second] += 1;
        }
    }
    assert!((79..=82).contains(&looked[0]) && (148..=150).contains(&looked[1]), "{looked:?}");
}

#[test]
fn frames_that_come_a_little_early_are_not_lost() {
    let mut turns = Turns::new(PACE);
    let jitter = [0, 12, 5, 20, 3, 17, 9, 1];
    let calls = (0..150u64).map(|i| turns.call(&name(0), at(i * 1000 / 15 + jitter[i as usize % 8]), || None));
    assert_eq!(calls.filter(|call| *call == Call::Look).count(), 150);
}

#[test]
fn above_capacity_whoever_is_undecided_goes_first_and_nobody_waits_longer_than_the_floor() {
    // 50 ms a look is 20 a second; 12 cameras ask for 180.
    let mut cameras = vec![(15, Need::Idle); 6];
    cameras.extend([(15, Need::Followed); 5]);
    cameras.push((15, Need::Undecided));
    // Idle and followed cameras take 11 looks each 500 ms at the floor, more than there are: all take turns.
    let crowded = looks(&cameras, 50, 20);
    for (camera, times) in crowded.iter().enumerate() {
        let round = 50 * cameras.len() as u64;
        assert!(longest_gap(times) <= round + 100, "camera {camera} waited {} ms", longest_gap(times));
    }
    // 25 ms a look is 40 a second: the floor takes 22, the undecided camera has all it wants.
    let busy = looks(&cameras, 25, 20);
    let count: Vec<usize> = busy.iter().map(Vec::len).collect();
    assert!(count[11] >= 230, "the undecided camera had {} looks of 300", count[11]);
    for (camera, times) in busy.iter().enumerate() {
        let floor = FLOOR.as_millis() as u64;
        assert!(longest_gap(times) <= floor + 67 + 11 * 25, "camera {camera} waited {} ms", longest_gap(times));
        assert!(count[11] > 2 * times.len() || camera == 11, "{count:?}");
    }
}

#[test]
fn among_equals_nobody_is_preferred() {
    let count: Vec<usize> = looks(&[(15, Need::Followed); 9], 20, 20).iter().map(Vec::len).collect();
    let (least, most) = (count.iter().min().unwrap(), count.iter().max().unwrap());
    assert!(most - least <= 12, "{count:?}");
}

/// A picture of one grey.
fn grid(grey: u8) -> Option<Grid> {
    let size = Size { width: 64, height: 64 };
    let (luma, chroma) = ([grey; 4096], [128; 2048]);
    let planes = Planes::Nv12 { luma: Plane { data: &luma, stride: 64 }, chroma: Plane { data: &chroma, stride: 64 } };
    Grid::of(&View { size, planes, matrix: Matrix::Bt709, range: Range::Full })
}

/// The calls on a camera whose picture is `grey(ms)`, a frame each 100 ms for three seconds; nobody is found.
fn calls(grey: impl Fn(u64) -> u8) -> Vec<u64> {
    let mut turns = Turns::new(PACE);
    let times = (0..30).map(|i| i * 100);
    let mut looked = Vec::new();
    for ms in times {
        if turns.call(&name(0), at(ms), || grid(grey(ms))) == Call::Look {
            turns.found(&name(0), Need::Idle);
            looked.push(ms);
        }
    }
    looked
}

#[test]
fn an_empty_unchanged_picture_is_looked_at_once_an_interval() {
    assert_eq!(calls(|_| 100), [0, 1000, 2000]);
}

#[test]
fn a_change_is_looked_at_at_once() {
    assert_eq!(calls(|ms| if ms == 1300 { 140 } else { 100 }), [0, 1000, 1300, 1400, 2400]);
}

#[test]
fn a_slow_change_adds_up_to_one() {
    assert_eq!(calls(|ms| 100 + (ms / 100) as u8), [0, 800, 1600, 2400]);
}

#[test]
fn while_somebody_is_tracked_every_frame_is_looked_at_and_the_first_empty_one_too() {
    let mut turns = Turns::new(PACE);
    let mut looked = Vec::new();
    for i in 0..12 {
        if turns.call(&name(0), at(i * 100), || grid(100)) == Call::Look {
            turns.found(&name(0), if i < 4 { Need::Followed } else { Need::Idle });
            looked.push(i);
        }
    }
    // At 4 the track has ended: what an empty picture looks like is learnt at 5.
    assert_eq!(looked, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn the_change_is_not_measured_where_it_cannot_matter() {
    let mut turns = Turns::new(Pace { unchanged: Duration::ZERO, ..PACE });
    assert_eq!(turns.call(&name(0), at(0), || unreachable!("every picture is looked at")), Call::Look);
    let mut turns = Turns::new(PACE);
    assert_eq!(turns.call(&name(0), at(0), || None), Call::Look);
    let beyond = turns.call(&name(0), at(0), || unreachable!("it is beyond the rate"));
    assert_eq!(beyond, Call::Beyond);
    assert!(
        turns.rank(&name(0), at(20)) == Rank::Beyond && turns.rank(&name(1), at(20)) == Rank::Starves(Reverse(None))
    );
}

#[test]
fn on_a_hot_machine_calm_pictures_give_way_first_and_nobody_undecided_waits_until_half_is_gone() {
    use crate::infer::heat::Reading;
    let hot = Reading { part: "cpu".into(), is: 99.0, throttles: 99.0 };
    let pace = Pace { period: PERIOD, calm: Duration::from_millis(125), unchanged: Duration::ZERO };
    for (steps, undecided, calm) in [(0, 150, 80), (2, 150, 51), (9, 75, 20)] {
        let share = Arc::<Share>::default();
        for _ in 0..steps {
            share.decide(Some(&hot));
        }
        let mut turns = Turns::new(pace);
        turns.follow(share);
        let mut looks = [0_u64; 2];
        for frame in 0..300 {
            for (camera, need) in [(0, Need::Undecided), (1, Need::Idle)] {
                if turns.call(&name(camera), at(frame * 33), || None) == Call::Look {
                    turns.found(&name(camera), need);
                    looks[camera] += 1;
                }
            }
        }
        let near = |is: u64, wanted: u64| is.abs_diff(wanted) <= 2 + wanted / 25;
        assert!(near(looks[0], undecided) && near(looks[1], calm), "{steps} steps: {looks:?} in ten seconds");
    }
}
