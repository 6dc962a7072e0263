//! One camera, for as long as the process lives.
//!
//! [`Keeper::run`] never fails; around it a straight-line [`Keeper::run_once`] opens the camera and reads it until
//! something is wrong. What counts as wrong, and when the next try comes, [`crate::capture::course`] says. Each try is a new
//! pipeline object, and the old one is brought down elsewhere ([`crate::capture::teardown`]). Where nothing answered, the next
//! try waits for somebody who does ([`crate::capture::knock`]); where the login was refused, it waits longer than cameras
//! lock whoever guesses.

use crate::capture::{
    course::{Course, GLANCE, Next as Then},
    fault::Fault,
    frame::{Camera, Frame, Picture},
    knock::Knocks,
    latest::Seat,
    opened::{Next, Opened},
    source::Speed,
    stills,
    teardown::Teardowns,
};
use crate::{
    clock::{Clock, Moment},
    health::{CameraState, Health},
    metrics::{CAMERA_LOST, SKIPPED},
    supervise::{Beat, Stop},
};
use std::{sync::Arc, time::Duration};
use tracing::{error, info, warn};
use usher_config::capture::Source;

/// The longest wait in one piece: a stage that does not go round for five seconds counts as hanging.
const PIECE: Duration = Duration::from_secs(1);
/// So many pipelines hanging on their way down hold threads and memory that only a new process gets back.
const MOST_HANGING: usize = 8;
/// When the process stops, pipelines get this long to come down in order.
const FAREWELL: Duration = Duration::from_secs(1);

/// What one camera's thread holds.
pub(crate) struct Keeper {
    pub(crate) camera: Arc<Camera>,
    pub(crate) settings: usher_config::capture::Camera,
    pub(crate) seat: Seat<Frame>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) beat: Beat,
    pub(crate) stop: Stop,
}

/// Why a run came to its end without a fault.
enum End {
    /// The process is stopping, or nobody takes frames any more.
    Stop,
    /// A file is through and begins again.
    Again,
}

/// What outlives one run.
struct Going {
    course: Course,
    teardowns: Teardowns,
    /// Added to the stream's own time, so that it goes on where a file begins again.
    pts_offset: Duration,
}

impl Keeper {
    /// Reads the camera until the stop; a fault means waiting and trying again.
    pub(crate) fn run(self) {
        let mut going = Going {
            course: Course::new(self.settings.silence, self.knocks().is_some()),
            teardowns: Teardowns::new(self.camera.name.clone(), self.clock.clone()),
            pts_offset: Duration::ZERO,
        };
        while !self.stop.is_stopping() {
            match self.run_once(&mut going) {
                Ok(End::Again) => {}
                Ok(End::Stop) => break,
                Err(fault) => {
                    self.say_lost(&fault, &mut going);
                    if going.teardowns.hanging() >= MOST_HANGING {
                        error!(camera = %self.camera.name, "too many old pipelines hang; a new process is needed");
                        break;
                    }
                    if self.wait(&fault, &mut going) {
                        break;
                    }
                }
            }
        }
        going.teardowns.finish(FAREWELL);
    }

    /// Knocks at the camera's door, where it has one.
    fn knocks(&self) -> Option<Knocks> {
        match &self.settings.source {
            Source::Rtsp { url, .. } => Knocks::at(self.camera.name.as_str(), url, &self.settings.within),
            _ => None,
        }
    }

    /// Waits until it is time for the next try; true at the stop.
    fn wait(&self, fault: &Fault, going: &mut Going) -> bool {
        let mut knocks = self.knocks();
        let mut next = going.course.after(fault, rand::random());
        loop {
            match next {
                Then::Open => return false,
                Then::Wait(whole) => return self.wait_for(whole, going),
                Then::Knock(wait) => {
                    knocks.iter_mut().for_each(Knocks::knock);
                    if self.wait_for(wait, going) {
                        return true;
                    }
                    next = going.course.heard(knocks.as_mut().is_some_and(Knocks::is_answered), rand::random());
                    if matches!(next, Then::Knock(_)) {
                        let _known = self.set_lost(fault, going);
                    }
                }
            }
        }
    }

    fn wait_for(&self, whole: Duration, going: &mut Going) -> bool {
        let begun = self.clock.now();
        loop {
            self.beat.beat();
            going.teardowns.look();
            let left = whole.saturating_sub(self.clock.now().since(begun));
            if left.is_zero() {
                return false;
            }
            if self.stop.wait(left.min(PIECE)) {
                return true;
            }
        }
    }

    fn run_once(&self, going: &mut Going) -> Result<End, Fault> {
        if let Source::Stills { path } = &self.settings.source {
            return self.play_stills(path, going);
        }
        let mut opened = Opened::open(&self.settings, Speed::Live, &mut going.teardowns)?;
        let ended = self.read(&mut opened, going);
        going.teardowns.begin(opened.closer());
        ended
    }

    fn read(&self, opened: &mut Opened, going: &mut Going) -> Result<End, Fault> {
        going.course.begin(self.clock.now());
        let mut end = Duration::ZERO;
        let offset = going.pts_offset;
        loop {
            self.beat.beat();
            going.teardowns.look();
            if self.stop.is_stopping() {
                return Ok(End::Stop);
            }
            match opened.next(GLANCE)? {
                Next::Picture(picture, pts) => {
                    let now = self.clock.now();
                    self.say_live(now, going);
                    end = pts;
                    if !self.put(picture, offset + pts, now) {
                        return Ok(End::Stop);
                    }
                }
                Next::Unmappable => {
                    metrics::counter!(SKIPPED, "stage" => "capture", "reason" => "unmappable").increment(1);
                }
                Next::Nothing => {}
                Next::End if matches!(self.settings.source, Source::File { .. }) && going.course.has_begun() => {
                    going.pts_offset = offset + end + frame_time(opened);
                    return Ok(End::Again);
                }
                Next::End => return Err(Fault::Ended),
            }
            going.course.glance(self.clock.now())?;
        }
    }

    fn play_stills(&self, path: &std::path::Path, going: &mut Going) -> Result<End, Fault> {
        let mut stills = stills::Stills::open(path, None).map_err(|error| Fault::Crowd(error.to_string()))?;
        let begun = self.clock.now();
        going.course.begin(begun);
        loop {
            self.beat.beat();
            let wait = stills.next_pts().saturating_sub(self.clock.now().since(begun));
            if self.stop.wait(wait) {
                return Ok(End::Stop);
            }
            let Some((picture, pts)) = stills.frame_at(self.clock.now().since(begun)) else {
                return Err(Fault::Ended);
            };
            let now = self.clock.now();
            self.say_live(now, going);
            if !self.put(picture, pts, now) {
                return Ok(End::Stop);
            }
            stills.prepare();
        }
    }

    fn put(&self, picture: Picture, pts: Duration, taken: Moment) -> bool {
        self.seat.put(Frame { camera: self.camera.clone(), taken, pts, picture })
    }

    fn say_live(&self, now: Moment, going: &mut Going) {
        if going.course.frame(now) && self.health.set_camera(&self.camera.name, CameraState::Live) {
            info!(camera = %self.camera.name, "camera live");
        }
    }

    fn say_lost(&self, fault: &Fault, going: &mut Going) {
        metrics::counter!(CAMERA_LOST, "camera" => self.camera.name.to_string(), "reason" => fault.label())
            .increment(1);
        if self.set_lost(fault, going) {
            warn!(camera = %self.camera.name, reason = %fault, "camera lost");
        }
    }

    /// Health says why, since when, and how often it was tried; true when that is news.
    fn set_lost(&self, fault: &Fault, going: &mut Going) -> bool {
        let state = going.course.lose(fault, self.clock.now());
        self.health.set_camera(&self.camera.name, state)
    }
}

/// The time of one frame, so that the last of one round and the first of the next do not share a time.
fn frame_time(opened: &Opened) -> Duration {
    Duration::from_secs_f64(1.0 / opened.said_fps().unwrap_or(25.0).clamp(1.0, 240.0))
}
