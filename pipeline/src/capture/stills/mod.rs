//! A camera made of pictures, with ground truth.
//!
//! It stands in for a gate where there is none: faces from pictures walk up through a drawn hall, pause and leave. Its
//! frames are I420 buffers like a decoder's, read through the same [`Picture`]; what was true of any of them is
//! [`Scene::people_at`].

pub mod cutout;
pub mod scene;

mod hall;
mod render;
mod sprite;

use crate::{
    capture::{frame::Picture, hush},
    supervise::spawn,
};
use cutout::{Cutout, StillsError};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{VideoBufferPool, VideoFormat, VideoFrameExt, VideoFrameRef, VideoInfo};
use hall::Hall;
use render::{Canvas, Placed};
use scene::{Present, Scene};
use sprite::{Layer, Level, Sprite};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use usher_config::crowd::{Changes, Crowd};

/// How far ahead of their walk people are made ready, so that no frame waits for it.
const AHEAD: Duration = Duration::from_secs(4);

/// Draws a crowd's frames.
pub struct Stills {
    scene: Scene,
    changes: Changes,
    fps: u32,
    looped: bool,
    cutouts: Vec<Vec<Arc<Cutout>>>,
    hall: Hall,
    sprites: HashMap<u64, Sprite>,
    /// Whoever is being made ready, by walk.
    coming: Option<(u64, JoinHandle<Sprite>)>,
    pool: gst::BufferPool,
    info: VideoInfo,
    next: u64,
}

/// The folder of a crowd's pictures: its key `pictures`, else the environment's `USHER_PICTURES`, else `data/pictures`
/// beside the crowd file's folder.
pub fn pictures_of(crowd: &Crowd, file: &Path) -> PathBuf {
    let beside = file.parent().unwrap_or(Path::new("."));
    match (&crowd.pictures, std::env::var_os("USHER_PICTURES")) {
        (Some(folder), _) => beside.join(folder),
        (None, Some(folder)) => folder.into(),
        (None, None) => beside.join("../data/pictures"),
    }
}

impl Stills {
    /// Reads the crowd file at `path` and every picture it names, from `pictures` or from [`pictures_of`].
    ///
    /// # Errors
    /// When the file or a picture cannot be used, with the mend.
    pub fn open(path: &Path, pictures: Option<&Path>) -> Result<Self, StillsError> {
        let crowd = Crowd::read(path)?;
        let folder = pictures.map_or_else(|| pictures_of(&crowd, path), Path::to_owned);
        Self::of(&crowd, &folder)
    }

    /// A camera of `crowd`, with pictures from `folder`.
    ///
    /// # Errors
    /// When a picture cannot be used, with the mend.
    pub fn of(crowd: &Crowd, folder: &Path) -> Result<Self, StillsError> {
        hush::ready().map_err(|_| StillsError::GStreamer)?;
        let scene = Scene::of(crowd);
        let mut cutouts: BTreeMap<(usize, usize), Cutout> = BTreeMap::new();
        let mut by_picture: BTreeMap<&Path, Vec<(usize, usize)>> = BTreeMap::new();
        for (person, who) in crowd.people.iter().enumerate() {
            for (look, of) in who.looks.iter().enumerate() {
                by_picture.entry(&of.picture).or_default().push((person, look));
            }
        }
        // One picture in memory at a time; of each, only the people in it are kept.
        for (name, looks) in by_picture {
            let picture = cutout::open(folder, name)?;
            for (person, look) in looks {
                let cut = cutout::cut(crowd, &crowd.people[person].looks[look], &picture, scene.nearest_face_px());
                cutouts.insert((person, look), cut);
            }
        }
        let mut of_person: Vec<Vec<Arc<Cutout>>> = vec![Vec::new(); crowd.people.len()];
        for ((person, _look), cut) in cutouts {
            of_person[person].push(Arc::new(cut));
        }
        let info = VideoInfo::builder(VideoFormat::I420, crowd.width, crowd.height)
            .fps(gst::Fraction::new(crowd.fps as i32, 1))
            .colorimetry(&gstreamer_video::VideoColorimetry::new(
                gstreamer_video::VideoColorRange::Range16_235,
                gstreamer_video::VideoColorMatrix::Bt709,
                gstreamer_video::VideoTransferFunction::Bt709,
                gstreamer_video::VideoColorPrimaries::Bt709,
            ))
            .build()
            .map_err(|_| StillsError::GStreamer)?;
        let size = usher_models::image::Size { width: crowd.width, height: crowd.height };
        Ok(Self {
            hall: Hall::of(size, crowd.seed),
            pool: pool(&info)?,
            info,
            scene,
            changes: crowd.changes,
            fps: crowd.fps,
            looped: crowd.looped,
            cutouts: of_person,
            sprites: HashMap::new(),
            coming: None,
            next: 0,
        })
    }

    /// The schedule and ground truth.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Frames a second.
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// The stream's time of the next frame.
    pub fn next_pts(&self) -> Duration {
        self.pts_of(self.next)
    }

    /// The frame that is due at `at`, and its own time; frames that should have come before it are left out.
    /// `None` when the crowd is through and does not begin again.
    pub fn frame_at(&mut self, at: Duration) -> Option<(Picture, Duration)> {
        let due = (at.as_nanos() * u128::from(self.fps) / 1_000_000_000) as u64;
        let index = due.max(self.next);
        let pts = self.pts_of(index);
        if !self.looped && pts >= self.scene.round() {
            return None;
        }
        self.next = index + 1;
        let people = self.scene.people_at(pts);
        people.iter().for_each(|present| self.make(present.walk, present.person, present.look));
        self.draw(&people, index, pts).map(|picture| (picture, pts))
    }

    /// Has one person who comes soon made ready, and forgets those who have left: for the time between two frames.
    ///
    /// A person takes tens of milliseconds, so that is done on a thread of its own; the frames do not wait for it.
    pub fn prepare(&mut self) {
        let now = self.next_pts();
        let earliest = now.saturating_sub(Duration::from_secs(120));
        let walks = self.scene.walks_between(earliest, now + AHEAD);
        if self.coming.as_ref().is_some_and(|(_, making)| making.is_finished()) {
            self.welcome();
        }
        self.sprites.retain(|id, _| walks.iter().any(|walk| walk.id == *id && walk.to > now));
        let missing = walks.iter().find(|walk| walk.to > now && !self.sprites.contains_key(&walk.id));
        if let (Some(walk), None) = (missing, &self.coming) {
            let (cutout, changes) = (self.cutouts[walk.person][walk.look].clone(), self.changes);
            let mut dice = self.scene.chance_of(walk.id);
            self.coming = Some((walk.id, spawn("sprite", move || Sprite::of(&cutout, &changes, &mut dice))));
        }
    }

    /// Waits for whoever is being made ready.
    fn welcome(&mut self) {
        if let Some((walk, making)) = self.coming.take()
            && let Ok(sprite) = making.join()
        {
            self.sprites.insert(walk, sprite);
        }
    }

    fn pts_of(&self, index: u64) -> Duration {
        Duration::from_nanos(index * 1_000_000_000 / u64::from(self.fps))
    }

    fn make(&mut self, walk: u64, person: usize, look: usize) {
        if self.coming.as_ref().is_some_and(|(coming, _)| *coming == walk) {
            self.welcome();
        }
        let (cutout, changes) = (&self.cutouts[person][look], &self.changes);
        let mut dice = self.scene.chance_of(walk);
        self.sprites.entry(walk).or_insert_with(|| Sprite::of(cutout, changes, &mut dice));
    }

    fn draw(&self, people: &[Present], number: u64, pts: Duration) -> Option<Picture> {
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        {
            let buffer = buffer.get_mut()?;
            buffer.set_pts(gst::ClockTime::from_nseconds(u64::try_from(pts.as_nanos()).ok()?));
            let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, &self.info).ok()?;
            for (index, backdrop) in [&self.hall.luma, &self.hall.u, &self.hall.v].into_iter().enumerate() {
                let mut canvas = canvas(&mut frame, index as u32)?;
                canvas.fill(backdrop);
                for present in people {
                    let level = self.sprites.get(&present.walk)?.level_for(present.rect.height, number);
                    lay(&mut canvas, index, present, level);
                }
            }
        }
        Picture::new(buffer, &self.info).ok()
    }
}

/// Plane `index` of a frame: 0 luma, 1 U, 2 V.
fn canvas<'a>(frame: &'a mut VideoFrameRef<&mut gst::BufferRef>, index: u32) -> Option<Canvas<'a>> {
    let half = |px: u32| if index == 0 { px as usize } else { px.div_ceil(2) as usize };
    let (width, height) = (half(frame.width()), half(frame.height()));
    let stride = usize::try_from(*frame.plane_stride().get(index as usize)?).ok()?;
    Some(Canvas { data: frame.plane_data_mut(index).ok()?, stride, width, height })
}

fn lay(canvas: &mut Canvas<'_>, plane: usize, present: &Present, level: &Level) {
    let scale = present.rect.height / level.face_px;
    let centre = present.rect.centre();
    let layers: [&Layer; 3] = [&level.luma, &level.u, &level.v];
    let per_px = if plane == 0 { 1.0 } else { 0.5 };
    let at = Placed {
        left: (centre.x - level.face.0 * scale) * per_px,
        top: (centre.y - level.face.1 * scale) * per_px,
        scale,
    };
    canvas.lay(layers[plane], at);
}

fn pool(info: &VideoInfo) -> Result<gst::BufferPool, StillsError> {
    let caps = info.to_caps().map_err(|_| StillsError::GStreamer)?;
    let pool: gst::BufferPool = VideoBufferPool::new().upcast();
    let mut config = pool.config();
    let size = u32::try_from(info.size()).map_err(|_| StillsError::GStreamer)?;
    // No upper limit: how many frames are held is up to the stages that hold them.
    config.set_params(Some(&caps), size, 4, 0);
    pool.set_config(config).map_err(|_| StillsError::GStreamer)?;
    pool.set_active(true).map_err(|_| StillsError::GStreamer)?;
    Ok(pool)
}

impl Drop for Stills {
    fn drop(&mut self) {
        // Frames still held elsewhere keep their memory; the pool only stops giving.
        let _inactive = self.pool.set_active(false);
    }
}
