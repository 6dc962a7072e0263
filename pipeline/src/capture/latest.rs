//! One seat per camera; the newest frame takes it.
//!
//! This is the only place in usher where a frame may be lost. Every camera has a seat of its own, so a loud camera
//! cannot crowd out a quiet one, and the reader takes the seats in turn. Offline runs (a replay, a bench) use the same
//! seats at the pace [`Pace::Wait`], where the camera waits for the reader and nothing is lost.
//!
//! One lock for all seats: it is held to move a value, never while one is made or dropped, and a few hundred frames a
//! second do not contend for it.

use metrics::Counter;
use std::{
    cmp::Reverse,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

/// What a camera does when its last value has not been taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The newest replaces it, and it is counted as passed over: stale video is worse than none.
    Live,
    /// The camera waits until it is taken: nothing is lost, and time is what the reader makes it.
    Wait,
}

/// Where one camera puts its newest value. Dropping it says that the camera is gone.
pub struct Seat<T> {
    room: Arc<Room<T>>,
    index: usize,
    pace: Pace,
    passed_over: Counter,
}

/// Where the one reader takes what the cameras have put.
pub struct Latest<T> {
    room: Arc<Room<T>>,
    turn: usize,
}

struct Room<T> {
    state: Mutex<State<T>>,
    /// Rung when a value is put or a camera goes.
    came: Condvar,
    /// Rung when a value is taken or the reader goes.
    freed: Condvar,
}

struct State<T> {
    seats: Vec<Option<T>>,
    /// Whether somebody holds the seat of this index.
    held: Vec<bool>,
    /// Whoever may put something, or may give a seat to somebody who does.
    cameras: usize,
    reader: bool,
}

/// Where cameras get their seats, also while the reader reads. While it is there, so is the room, with cameras or without.
pub struct Seats<T> {
    room: Arc<Room<T>>,
    pace: Pace,
}

/// A room without cameras.
pub fn room<T>(pace: Pace) -> (Seats<T>, Latest<T>) {
    let state = State { seats: Vec::new(), held: Vec::new(), cameras: 1, reader: true };
    let room = Arc::new(Room { state: Mutex::new(state), came: Condvar::new(), freed: Condvar::new() });
    (Seats { room: room.clone(), pace }, Latest { room, turn: 0 })
}

/// A seat for each counter given, and the reader of them all.
///
/// The counters (of [`crate::metrics::PASSED_OVER`]) count what was replaced before it was taken; at the pace
/// [`Pace::Wait`] they stay at zero. Make them after the metrics recorder is installed, or they count into nothing.
pub fn latest<T>(pace: Pace, passed_over: impl IntoIterator<Item = Counter>) -> (Vec<Seat<T>>, Latest<T>) {
    let (seats, latest) = room(pace);
    (passed_over.into_iter().map(|counter| seats.seat(counter)).collect(), latest)
}

/// One camera's counter of frames passed over.
pub fn passed_over(camera: &usher_config::value::Name) -> Counter {
    metrics::counter!(crate::metrics::PASSED_OVER, "camera" => camera.to_string())
}

impl<T> Room<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl<T> Seats<T> {
    /// A seat for one more camera, whose replaced values `passed_over` counts. It may be one that another camera has left; what that
    /// one put last is gone.
    pub fn seat(&self, passed_over: Counter) -> Seat<T> {
        let mut state = self.room.lock();
        let index = state.held.iter().position(|held| !held).unwrap_or_else(|| {
            state.seats.push(None);
            state.held.push(false);
            state.seats.len() - 1
        });
        state.held[index] = true;
        state.cameras += 1;
        let left = state.seats[index].take();
        drop(state);
        drop(left);
        Seat { room: self.room.clone(), index, pace: self.pace, passed_over }
    }
}

impl<T> Drop for Seats<T> {
    fn drop(&mut self) {
        self.room.lock().cameras -= 1;
        self.room.came.notify_one();
    }
}

impl<T> Seat<T> {
    /// Seats `value`; false when nobody is left to take it.
    ///
    /// [`Pace::Live`]: at once; whoever sat here is passed over, and counted. [`Pace::Wait`]: as soon as the seat is free.
    pub fn put(&self, value: T) -> bool {
        let mut state = self.room.lock();
        if self.pace == Pace::Wait {
            let taken = |state: &mut State<T>| state.reader && state.seats[self.index].is_some();
            state = self.room.freed.wait_while(state, taken).expect("no holder of this lock panics");
        }
        if !state.reader {
            return false;
        }
        let before = state.seats[self.index].replace(value);
        drop(state);
        self.room.came.notify_one();
        if before.is_some() {
            self.passed_over.increment(1);
        }
        true
    }
}

impl<T> Drop for Seat<T> {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.cameras -= 1;
        state.held[self.index] = false;
        drop(state);
        self.room.came.notify_one();
    }
}

impl<T> Latest<T> {
    /// Takes up to `most` values (at least 1), one a seat, beginning where the last call left off.
    ///
    /// Waits for the first no longer than `patience`, then answers with none.
    /// `None` when every camera is gone and nobody is left sitting.
    pub fn take(&mut self, most: usize, patience: Duration) -> Option<Vec<T>> {
        self.take_ranked(most, patience, |_| ())
    }

    /// Like [`Latest::take`], the values of the greatest rank first; among equals beginning where the last call left off.
    pub fn take_ranked<R: Ord>(&mut self, most: usize, patience: Duration, rank: impl Fn(&T) -> R) -> Option<Vec<T>> {
        let empty = |state: &mut State<T>| state.cameras > 0 && state.seats.iter().all(Option::is_none);
        let (mut state, _timeout) = self
            .room
            .came
            .wait_timeout_while(self.room.lock(), patience, empty)
            .expect("no holder of this lock panics");
        let mut taken = Vec::with_capacity(most.min(state.seats.len()));
        let seats = state.seats.len();
        while taken.len() < most.max(1) {
            let waiting = (0..seats).filter_map(|ahead| {
                let seat = (self.turn + ahead) % seats;
                Some((rank(state.seats[seat].as_ref()?), Reverse(ahead), seat))
            });
            let Some((.., seat)) = waiting.max() else { break };
            taken.extend(state.seats[seat].take());
            self.turn = (seat + 1) % seats;
        }
        let ended = taken.is_empty() && state.cameras == 0;
        drop(state);
        self.room.freed.notify_all();
        (!ended).then_some(taken)
    }
}

impl<T> Drop for Latest<T> {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.reader = false;
        let left: Vec<Option<T>> = state.seats.iter_mut().map(Option::take).collect();
        drop(state);
        self.room.freed.notify_all();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise;
    use std::sync::atomic::{AtomicU64, Ordering};

    const AT_ONCE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    fn room<T>(pace: Pace, seats: usize) -> (Vec<Seat<T>>, Latest<T>, Vec<Arc<AtomicU64>>) {
        let counts: Vec<Arc<AtomicU64>> = (0..seats).map(|_| Arc::default()).collect();
        let (seats, latest) = latest(pace, counts.iter().map(|count| Counter::from_arc(count.clone())));
        (seats, latest, counts)
    }

    #[test]
    fn the_newest_takes_the_seat_and_the_other_is_counted() {
        let (seats, mut latest, passed_over) = room(Pace::Live, 1);
        assert!(seats[0].put(1));
        assert!(seats[0].put(2));
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![2]));
        assert_eq!(passed_over[0].load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_small_batch_starves_nobody() {
        let (seats, mut latest, _) = room(Pace::Live, 3);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seats.iter().enumerate().for_each(|(i, seat)| assert!(seat.put(i)));
            seen.extend(latest.take(1, AT_ONCE).unwrap());
        }
        assert_eq!(seen, [0, 1, 2]);
    }

    #[test]
    fn the_greatest_rank_goes_first_and_among_equals_they_take_turns() {
        let (seats, mut latest, _) = room(Pace::Live, 4);
        let mut seen = Vec::new();
        for _ in 0..3 {
            for (seat, value) in seats.iter().zip([10, 21, 22, 13]) {
                assert!(seat.put(value));
            }
            seen.extend(latest.take_ranked(1, AT_ONCE, |value| value / 10).unwrap());
        }
        assert_eq!(seen, [21, 22, 21]);
        assert_eq!(latest.take_ranked(3, AT_ONCE, |value| value / 10).unwrap(), [22, 13, 10]);
    }

    #[test]
    fn it_ends_when_every_camera_is_gone_and_nobody_sits() {
        let (seats, mut latest, _) = room(Pace::Live, 2);
        seats[1].put(7);
        drop(seats);
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![7]));
        assert_eq!(latest.take(8, LONG), None);
    }

    #[test]
    fn cameras_come_and_go_while_the_reader_reads_and_the_room_stays() {
        let (seats, mut latest) = super::room::<u32>(Pace::Live);
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![]), "a room without cameras waits for some");
        let [first, second] = [(); 2].map(|()| seats.seat(Counter::noop()));
        assert!(first.put(1) && second.put(2));
        drop(first);
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![1, 2]));
        let third = seats.seat(Counter::noop());
        assert_eq!((third.index, latest.room.lock().seats.len()), (0, 2), "a seat that was left is given again");
        assert!(third.put(3));
        drop(third);
        let fourth = seats.seat(Counter::noop());
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![]), "what its holder before put last is gone");
        assert!(fourth.put(4));
        drop((second, fourth, seats));
        assert_eq!((latest.take(8, AT_ONCE), latest.take(8, LONG)), (Some(vec![4]), None));
    }

    #[test]
    fn patience_runs_out_quietly() {
        let (_seats, mut latest, _) = room::<u8>(Pace::Live, 1);
        assert_eq!(latest.take(8, AT_ONCE), Some(vec![]));
    }

    #[test]
    fn a_camera_whose_reader_is_gone_is_told() {
        let (seats, latest, _) = room(Pace::Live, 1);
        drop(latest);
        assert!(!seats[0].put(1));
    }

    #[test]
    fn a_waiting_camera_whose_reader_goes_is_released() {
        let (mut seats, latest, _) = room(Pace::Wait, 1);
        let seat = seats.remove(0);
        assert!(seat.put(1));
        let camera = supervise::spawn("waiting", move || seat.put(2));
        drop(latest);
        assert!(!camera.join().unwrap());
    }

    #[test]
    fn under_load_everything_put_is_taken_or_counted() {
        const EACH: u64 = 20_000;
        let (seats, mut latest, passed_over) = room(Pace::Live, 4);
        let cameras: Vec<_> = seats
            .into_iter()
            .map(|seat| supervise::spawn("loud", move || (0..EACH).for_each(|n| assert!(seat.put(n)))))
            .collect();
        let mut taken = 0;
        while let Some(batch) = latest.take(3, LONG) {
            taken += batch.len() as u64;
        }
        cameras.into_iter().for_each(|camera| camera.join().unwrap());
        let lost: u64 = passed_over.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        assert_eq!(taken + lost, 4 * EACH);
    }

    #[test]
    fn at_the_waiting_pace_nothing_is_lost_and_the_order_is_kept() {
        const EACH: u64 = 2_000;
        let (seats, mut latest, passed_over) = room(Pace::Wait, 2);
        let cameras: Vec<_> = seats
            .into_iter()
            .map(|seat| supervise::spawn("patient", move || (0..EACH).for_each(|n| assert!(seat.put((seat.index, n))))))
            .collect();
        let mut next = [0; 2];
        while let Some(batch) = latest.take(2, LONG) {
            for (seat, n) in batch {
                assert_eq!(n, next[seat]);
                next[seat] += 1;
            }
        }
        cameras.into_iter().for_each(|camera| camera.join().unwrap());
        assert_eq!(next, [EACH; 2]);
        assert!(passed_over.iter().all(|count| count.load(Ordering::Relaxed) == 0));
    }
}
