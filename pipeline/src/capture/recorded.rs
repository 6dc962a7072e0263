//! A recording, read as fast as its frames are taken: for replays and benches.

use crate::capture::{
    fault::Fault,
    frame::{Camera, Frame},
    latest::Seat,
    opened::{Next, Opened},
    source::{self, Speed},
    stills::{self, cutout::StillsError},
    teardown::Teardowns,
};
use crate::{
    clock::{Clock, Moment},
    metrics::SKIPPED,
    supervise::{Stop, spawn},
};
use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

const GLANCE: Duration = Duration::from_millis(50);
/// How long a decoder may think about one frame of a file. Longer means a file that is broken without saying so.
const SILENCE: Duration = Duration::from_secs(20);
const FAREWELL: Duration = Duration::from_secs(1);

/// Decodes a video file on a thread `cam-NAME` and seats every frame; ends with their number at the end of the file.
///
/// `seat` should have the pace [`crate::capture::latest::Pace::Wait`]: then the decoder waits for the reader.
/// [`Frame::pts`] is the recording's own time, and [`Frame::taken`] follows it from the moment of opening: tracks, looks
/// and quiet times mean the same at any speed of reading.
///
/// # Errors
/// The thread ends with the fault when the file cannot be opened or read.
pub fn recorded(
    path: PathBuf,
    camera: Arc<Camera>,
    seat: Seat<Frame>,
    clock: Arc<dyn Clock>,
    stop: Stop,
) -> JoinHandle<Result<u64, Fault>> {
    spawn(&format!("cam-{}", camera.name), move || {
        let mut teardowns = Teardowns::new(camera.name.clone(), clock.clone());
        let mut opened = Opened::open(&source::of_file(&path), Speed::AsTaken, &mut teardowns)?;
        let count = read(&mut opened, &camera, &seat, &*clock, &stop);
        teardowns.begin(opened.closer());
        drop(seat);
        teardowns.finish(FAREWELL);
        count
    })
}

fn read(
    opened: &mut Opened,
    camera: &Arc<Camera>,
    seat: &Seat<Frame>,
    clock: &dyn Clock,
    stop: &Stop,
) -> Result<u64, Fault> {
    let begun = clock.now();
    let (mut count, mut last) = (0, begun);
    loop {
        let next = opened.next(GLANCE)?;
        let now = clock.now();
        match next {
            Next::Picture(picture, pts) => {
                let frame = Frame { camera: camera.clone(), taken: after(begun, pts), pts, picture };
                if !seat.put(frame) {
                    return Ok(count);
                }
                count += 1;
                last = clock.now();
            }
            Next::Unmappable => {
                metrics::counter!(SKIPPED, "stage" => "capture", "reason" => "unmappable").increment(1);
            }
            Next::Nothing if now.since(last) > SILENCE => return Err(Fault::Silent(SILENCE)),
            Next::Nothing => {}
            Next::End if count == 0 => return Err(Fault::Unreadable("no picture in it".into())),
            Next::End => return Ok(count),
        }
        if stop.is_stopping() {
            return Ok(count);
        }
    }
}

fn after(begun: Moment, pts: Duration) -> Moment {
    Moment { steady: begun.steady + pts, wall: begun.wall + pts }
}

/// Draws a crowd file's frames from its beginning up to `until`, as fast as they are taken; ends with their number.
///
/// # Errors
/// The thread ends with the fault when the crowd file or its pictures cannot be used.
pub fn recorded_stills(
    crowd: PathBuf,
    until: Duration,
    camera: Arc<Camera>,
    seat: Seat<Frame>,
    clock: Arc<dyn Clock>,
    stop: Stop,
) -> JoinHandle<Result<u64, Fault>> {
    drawn(move || stills::Stills::open(&crowd, None), until, camera, seat, clock, stop)
}

/// The same of a crowd that `open` makes ready, on the thread that draws it.
///
/// # Errors
/// The thread ends with the fault when the crowd's pictures cannot be used.
pub fn drawn(
    open: impl FnOnce() -> Result<stills::Stills, StillsError> + Send + 'static,
    until: Duration,
    camera: Arc<Camera>,
    seat: Seat<Frame>,
    clock: Arc<dyn Clock>,
    stop: Stop,
) -> JoinHandle<Result<u64, Fault>> {
    spawn(&format!("cam-{}", camera.name), move || {
        let mut stills = open().map_err(|error| Fault::Crowd(error.to_string()))?;
        let (begun, mut count) = (clock.now(), 0);
        while stills.next_pts() < until && !stop.is_stopping() {
            let Some((picture, pts)) = stills.frame_at(stills.next_pts()) else { break };
            let frame = Frame { camera: camera.clone(), taken: after(begun, pts), pts, picture };
            if !seat.put(frame) {
                break;
            }
            count += 1;
            stills.prepare();
        }
        Ok(count)
    })
}
