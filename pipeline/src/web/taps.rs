//! Reading the taps: what stages show, into what the routes read.

use crate::{
    supervise::spawn,
    web::{Shared, Taps, live::Live},
};
use crossbeam::{channel::never, select};
use std::{sync::Arc, thread::JoinHandle, time::Duration};

/// Reads both taps until stopping, and draws pictures beside it, so that a slow encoder loses frames, never outcomes.
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
    let Taps { mut watched, mut outcomes } = taps;
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
            default(Duration::from_millis(250)) => {}
        }
    }
}
