//! Threads by name, and how they stop together.
//!
//! Stop means: the [`Stop`] that cameras and sinks hold is released, senders are dropped, and every stage returns when
//! its input closes, left to right. A thread that ends unasked ends the process in order; its supervisor (systemd)
//! starts it again, and the outbox makes that safe.

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::{sync::Arc, thread, time::Duration};

/// Held by whoever must notice that the process is stopping.
#[derive(Clone)]
pub struct Stop {
    closed: Receiver<()>,
}

/// Held by whoever may stop the process; dropping it is stopping.
pub struct Stopper {
    _open: Sender<()>,
}

/// A stopper and what it stops.
pub fn stop() -> (Stopper, Stop) {
    // Nothing is ever sent; the channel's end is the message, so one place is plenty.
    let (open, closed) = bounded(1);
    (Stopper { _open: open }, Stop { closed })
}

impl Stop {
    /// Waits for `most` or for the stop, whichever comes first; true when stopping.
    pub fn wait(&self, most: Duration) -> bool {
        matches!(self.closed.recv_timeout(most), Err(RecvTimeoutError::Disconnected))
    }

    /// Whether the process is stopping.
    pub fn is_stopping(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits until the process is stopping.
    pub fn wait_for_it(&self) {
        let _closed = self.closed.recv();
    }
}

/// Starts a thread with a name that `top -H` and panics show.
///
/// # Panics
/// When the system has no thread to give; there is nothing to go on with then.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts threads")]
pub fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(run).expect("the system has a thread to give")
}

/// One stage's sign of life; the watchdog is fed only while every beat is young.
#[derive(Clone, Default)]
pub struct Beat {
    count: Arc<std::sync::atomic::AtomicU64>,
}

impl Beat {
    /// The stage has gone round once more (with work or without).
    pub fn beat(&self) {
        self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// How often so far.
    pub fn count(&self) -> u64 {
        self.count.load(std::sync::atomic::Ordering::Relaxed)
    }
}
