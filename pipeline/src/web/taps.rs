//! Reading the taps: what stages show, into what the routes read.

use crate::{
    supervise::spawn,
    web::{Shared, Taps, live::Live},
};
use crossbeam::{channel::never, select};
use std::{sync::Arc, thread::JoinHandle, time::Duration};

/// How often it is looked up who of those decided about was forgotten since: a gate hears of it within a second.
const LOOK: Duration = Duration::from_millis(500);

/// Reads the taps until stopping, and draws pictures beside it, so that a slow encoder loses frames, never outcomes.
pub(super) fn start(shared: &Arc<Shared>, taps: Taps) -> JoinHandle<()> {
    let drawing = {
        let shared = Arc::clone(shared);
        spawn("web-pictures", move || Live::draw(&shared))
    };
    let shared = Arc::clone(shared);
    spawn("web-taps", move || {
        read(&shared, taps);
        let _ended = drawing.join();
    })
}

fn read(shared: &Shared, taps: Taps) {
    let Taps { mut watched, mut outcomes, mut progress } = taps;
    let mut looked = shared.clock.now();
    while !shared.stop.is_stopping() {
        select! {
            recv(watched) -> seen => match seen {
                Ok(seen) => {
                    shared.board.watched(&seen);
                    shared.coaches.watched(&seen);
                    shared.live.offer(seen);
                }
                // The stage has ended; the pages still tell how the box is.
                Err(_) => watched = never(),
            },
            recv(outcomes) -> outcome => match outcome {
                Ok(outcome) => shared.board.decided(outcome),
                Err(_) => outcomes = never(),
            },
            recv(progress) -> told => match told {
                Ok(told) => {
                    // What was decided is always sent first; that it is read first, only this sees to.
                    outcomes.try_iter().for_each(|outcome| shared.board.decided(outcome));
                    shared.board.progressed(told);
                }
                Err(_) => progress = never(),
            },
            default(Duration::from_millis(250)) => {}
        }
        let now = shared.clock.now();
        if now.since(looked) >= LOOK {
            looked = now;
            shared.board.forget(&*shared.figures.is_enrolled);
        }
    }
}
