//! The hand: the one thread that touches the outbox's file.
//!
//! A disk that hangs (a worn card, a network share, a controller that resets) holds a write for seconds or minutes, and
//! whoever waits for it with them. So greetings do not wait for the disk, but for the hand, and never for longer than
//! [`PATIENCE`]; once it is overdue nobody waits at all until it answers again.

use crate::{publish::keep::Keep, supervise::spawn};
use crossbeam::channel::{Receiver, Sender, bounded};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long whoever asks waits: well beyond an honest commit on a slow card, well within a greeting's ten seconds and the
/// watchdog's five.
const PATIENCE: Duration = Duration::from_secs(1);

/// Jobs that may wait: both threads ask one at a time.
const JOBS: usize = 4;

/// How long an end waits for what was begun.
const END: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut dyn Keep) + Send>;

/// Has things done with the file.
pub(super) enum Hand {
    /// By a thread.
    Thread(Thread),
    /// By whoever asks, whatever it takes: the simulator's disk never hangs, and its days are the same each time.
    AtOnce(Mutex<Box<dyn Keep>>),
}

/// The thread, as whoever asks sees it.
pub(super) struct Thread {
    jobs: Option<Sender<Job>>,
    overdue: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Hand {
    /// Starts thread `outbox`, which has `keep` from now on.
    pub(super) fn of(mut keep: Box<dyn Keep>) -> Self {
        let (jobs, asked) = bounded::<Job>(JOBS);
        let (end, ended) = bounded(1);
        let overdue = Arc::new(AtomicBool::new(false));
        let late = overdue.clone();
        spawn("outbox", move || {
            for job in &asked {
                job(&mut *keep);
                late.store(false, Ordering::Release);
            }
            // Closed before it is said, so that whoever opens the file next finds it free.
            drop(keep);
            let _nobody_waits_any_more = end.send(());
        });
        Self::Thread(Thread { jobs: Some(jobs), overdue, ended })
    }

    /// Without a thread.
    pub(super) fn at_once(keep: Box<dyn Keep>) -> Self {
        Self::AtOnce(Mutex::new(keep))
    }

    /// Has `job` done, and waits for what comes of it. `None`: the disk does not answer. The job is done all the same when it
    /// does, unless earlier ones were overdue already: then it is not taken.
    pub(super) fn ask<T: Send + 'static>(&self, job: impl FnOnce(&mut dyn Keep) -> T + Send + 'static) -> Option<T> {
        match self {
            Self::Thread(thread) => thread.ask(job),
            Self::AtOnce(keep) => Some(job(&mut **keep.lock().expect("no holder of this lock panics"))),
        }
    }
}

impl Thread {
    fn ask<T: Send + 'static>(&self, job: impl FnOnce(&mut dyn Keep) -> T + Send + 'static) -> Option<T> {
        if self.overdue.load(Ordering::Acquire) {
            return None;
        }
        let (answer, answered) = bounded(1);
        let job: Job = Box::new(move |keep| {
            let _nobody_waits_any_more = answer.send(job(keep));
        });
        let is_taken = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok());
        let done = if is_taken { answered.recv_timeout(PATIENCE).ok() } else { None };
        if done.is_none() {
            self.overdue.store(true, Ordering::Release);
        }
        done
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.jobs = None;
        // What a disk that hangs does not take in this time, it does not take: rows in it are as after a plug was pulled.
        let _ended = self.ended.recv_timeout(END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::shelf::Shelf;
    use std::path::Path;

    #[test]
    fn a_disk_that_hangs_is_waited_for_once_and_what_was_begun_is_done_when_it_answers() {
        let hand = Hand::of(Box::new(Shelf::at(Path::new("/nowhere/outbox.db"))));
        let (let_go, held) = bounded::<()>(1);
        let (done, came) = bounded(1);
        let hangs = move |_: &mut dyn Keep| {
            let _until_let_go = held.recv();
            let _heard = done.send(());
        };
        assert!(hand.ask(hangs).is_none(), "overdue after a moment");
        for _ in 0..1000 {
            assert!(hand.ask(|_| ()).is_none(), "nobody waits a second time, and nothing piles up");
        }
        let_go.send(()).unwrap();
        came.recv().unwrap();
        while hand.ask(|_| 7) != Some(7) {}
    }
}
