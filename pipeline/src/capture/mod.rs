//! Capture: cameras to frames.

pub mod course;
pub mod fault;
pub mod frame;
pub mod latest;
pub mod probe;
pub mod recorded;
pub mod stills;

mod backoff;
pub(crate) mod decoders;
pub(crate) mod hush;
mod knock;
mod opened;
mod reach;
mod retry;
mod source;
mod teardown;

use crate::{
    clock::Clock,
    health::Health,
    supervise::{Beat, Stop, spawn},
};
use frame::{Camera, Frame};
use latest::Seat;
use std::{sync::Arc, thread::JoinHandle};

/// Starts a camera's thread, `cam-NAME`: it reads the camera, puts frames in `seat`, and tries again for ever when the
/// camera is lost. It ends at the stop, or when nobody is left to take frames; ending unasked means that a new process
/// is needed. Files and crowds begin again at their end.
///
/// [`Frame::taken`] is the clock's time at which the decoded frame arrived here, after network, jitter buffer and
/// decoder; [`Frame::pts`] is the stream's own time.
pub fn start(
    camera: Arc<Camera>,
    settings: &usher_config::capture::Camera,
    seat: Seat<Frame>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    beat: Beat,
    stop: Stop,
) -> JoinHandle<()> {
    let keeper = retry::Keeper { camera, settings: settings.clone(), seat, health, clock, beat, stop };
    spawn(&format!("cam-{}", keeper.camera.name), move || keeper.run())
}
