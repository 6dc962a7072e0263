//! Trying a camera once: what `usher check --probe` tells.

use crate::capture::{
    fault::Fault,
    opened::{Next, Opened},
    source::Speed,
    stills,
    teardown::Teardowns,
};
use crate::clock::Clock;
use std::{path::Path, sync::Arc, time::Duration};
use usher_config::{
    capture::{Camera, Source},
    value::Name,
};
use usher_models::image::Size;

/// What a camera gave when it was tried.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Probed {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `NV12` or `I420`: the layout that later stages read.
    pub format: String,
    /// Frames a second: counted over the second after the first frame, or as the stream says where it ended sooner.
    pub fps: f64,
    /// From opening to the first frame.
    pub first_frame: Duration,
}

/// How long frames are counted after the first.
const COUNTED: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(50);

/// Opens a camera, waits for its first frame up to `timeout`, and counts frames for one second more.
///
/// Blocks until then. The pipeline is brought down on a thread of its own.
///
/// # Errors
/// Why no frame came, with the mend; [`Fault::Silent`] when the timeout passed.
pub fn probe(name: &Name, settings: &Camera, timeout: Duration, clock: &Arc<dyn Clock>) -> Result<Probed, Fault> {
    if let Source::Stills { path } = &settings.source {
        return probe_stills(path, clock);
    }
    let mut teardowns = Teardowns::new(name.clone(), clock.clone());
    let begun = clock.now();
    let mut opened = Opened::open(settings, Speed::Live, &mut teardowns)?;
    let found = watch(&mut opened, timeout, &**clock);
    let (format, said) = (opened.format(), opened.said_fps());
    teardowns.begin(opened.closer());
    teardowns.finish(COUNTED);
    let seen = found?;
    Ok(Probed {
        width: seen.size.width,
        height: seen.size.height,
        format: format.unwrap_or_default(),
        fps: seen.fps.or(said).unwrap_or(0.0),
        first_frame: seen.first.saturating_sub(begun.steady),
    })
}

struct Seen {
    size: Size,
    first: Duration,
    fps: Option<f64>,
}

fn watch(opened: &mut Opened, timeout: Duration, clock: &dyn Clock) -> Result<Seen, Fault> {
    let begun = clock.now();
    let mut first = None;
    let mut count = 0_u32;
    loop {
        let now = clock.now();
        match (first, opened.next(GLANCE)) {
            (None, Ok(Next::Picture(picture, _))) => first = Some((clock.now(), picture.size())),
            (Some(_), Ok(Next::Picture(..))) => count += 1,
            (Some((at, size)), Ok(Next::End) | Err(_)) => return Ok(Seen { size, first: at.steady, fps: None }),
            (None, Ok(Next::End)) => return Err(Fault::Ended),
            (None, Err(fault)) => return Err(fault),
            (_, Ok(Next::Nothing | Next::Unmappable)) => {}
        }
        match first {
            Some((at, size)) if now.since(at) >= COUNTED => {
                let fps = f64::from(count) / clock.now().since(at).as_secs_f64().max(f64::EPSILON);
                return Ok(Seen { size, first: at.steady, fps: Some(fps) });
            }
            None if now.since(begun) > timeout => return Err(Fault::Silent(timeout)),
            _ => {}
        }
    }
}

fn probe_stills(path: &Path, clock: &Arc<dyn Clock>) -> Result<Probed, Fault> {
    let begun = clock.now();
    let mut stills = stills::Stills::open(path, None).map_err(|error| Fault::Crowd(error.to_string()))?;
    let (picture, _pts) = stills.frame_at(Duration::ZERO).ok_or(Fault::Ended)?;
    let size = picture.size();
    Ok(Probed {
        width: size.width,
        height: size.height,
        format: "I420".into(),
        fps: f64::from(stills.fps()),
        first_frame: clock.now().since(begun),
    })
}
