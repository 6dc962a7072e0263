//! A film of the demo's crowd: drawn by usher's own stills renderer, encoded as H.264, in a folder that vanishes.

use crate::process::{pictures, root};
use anyhow::{Context, ensure};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use usher::{capture::stills::Stills, cli::crowd::png_of};
use usher_config::crowd::Crowd;
use usher_models::image::{Plane, Planes, Size};

/// Frames a second, as cameras give them.
pub(crate) const FPS: u32 = 25;

/// The film, its crowd, and a picture of everybody in it who asked to be known.
pub(crate) struct Film {
    pub(crate) crowd: Crowd,
    pub(crate) file: PathBuf,
    /// Name and picture, in the order of the crowd file.
    pub(crate) visitors: Vec<(String, PathBuf)>,
    _folder: tempfile::TempDir,
}

/// The demo's crowd file.
pub(crate) fn crowd_file() -> PathBuf {
    root().join("config/demo-crowd.yaml")
}

impl Film {
    /// Draws and encodes `long` of the demo's crowd in `size`.
    pub(crate) fn of(size: Size, long: Duration) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut crowd = Crowd::read(&crowd_file())?;
        // People fill the picture as they do in the demo.
        let larger = size.width as f32 / crowd.width as f32;
        (crowd.width, crowd.height, crowd.fps) = (size.width, size.height, FPS);
        crowd.walk.far_px *= larger;
        crowd.walk.near_px *= larger;
        let file = folder.path().join("walk.mp4");
        encode(&crowd, &file, long)?;
        let mut visitors = Vec::new();
        for person in &crowd.people {
            let (Some(visitor), Some(look)) = (&person.enrolled, person.enrolled_from()) else { continue };
            let picture = folder.path().join(format!("{}.png", person.who));
            std::fs::write(&picture, png_of(&pictures()?, look)?)?;
            visitors.push((visitor.name.clone(), picture));
        }
        Ok(Self { crowd, file, visitors, _folder: folder })
    }
}

fn encode(crowd: &Crowd, file: &Path, long: Duration) -> anyhow::Result<()> {
    let parse = format!(
        "rawvideoparse format=i420 width={} height={} framerate={FPS}/1 colorimetry=bt709",
        crowd.width, crowd.height
    );
    // What an IP camera sends: no B frames, a key frame every two seconds.
    let line = format!(
        "-q fdsrc fd=0 ! {parse} ! x264enc speed-preset=veryfast tune=zerolatency key-int-max={} bitrate={} \
         ! h264parse ! mp4mux ! filesink location={}",
        2 * FPS,
        crowd.width * crowd.height / 500,
        file.display()
    );
    let mut encoder = Command::new("gst-launch-1.0").args(line.split_whitespace()).stdin(Stdio::piped()).spawn()?;
    let mut into = encoder.stdin.take().context("the encoder's input")?;
    let mut stills = Stills::of(crowd, &pictures()?)?;
    while stills.next_pts() < long {
        let (picture, _) = stills.frame_at(stills.next_pts()).context("the crowd walks on")?;
        let view = picture.view();
        let Planes::I420 { luma, u, v } = view.planes else { anyhow::bail!("stills are I420") };
        let (width, height) = (view.size.width as usize, view.size.height as usize);
        for (plane, width, height) in [(luma, width, height), (u, width / 2, height / 2), (v, width / 2, height / 2)] {
            rows(&plane, width, height).try_for_each(|row| into.write_all(row))?;
        }
        stills.prepare();
    }
    drop(into);
    ensure!(encoder.wait()?.success(), "gst-launch-1.0 could not encode the film");
    Ok(())
}

fn rows<'a>(plane: &Plane<'a>, width: usize, height: usize) -> impl Iterator<Item = &'a [u8]> {
    plane.data.chunks(plane.stride).take(height).map(move |row| &row[..width])
}
