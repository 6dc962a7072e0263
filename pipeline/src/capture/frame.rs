//! A frame as a camera gave it, still in the decoder's memory.

use crate::clock::Moment;
use gstreamer_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrame, prelude::*, video_frame::Readable};
use std::{sync::Arc, time::Duration};
use usher_config::{decide::Liveness, value::Name};
use usher_models::image::{Matrix, Plane, Planes, Point, Range, Size, View};

/// A camera as later stages know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Its name.
    pub name: Name,
    /// The gate it belongs to.
    pub gate: Name,
    /// Its opt-in zone.
    pub zone: Zone,
    /// What its gate makes of presentation attack detection.
    pub liveness: Liveness,
    /// Whether its gate compares everybody in the zone with everybody enrolled; else only with who showed their pass.
    pub identifies: bool,
}

/// The part of a picture in which people asked to be recognised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone {
    /// Corners of a polygon, 0..=1 of width and height; empty = the whole picture.
    pub corners: Vec<[f32; 2]>,
}

impl Zone {
    /// Whether `point` (pixels of a picture of `size`) lies inside. Even-odd rule.
    pub fn holds(&self, point: Point, size: Size) -> bool {
        if self.corners.is_empty() {
            return true;
        }
        let (x, y) = (point.x / size.width as f32, point.y / size.height as f32);
        let mut inside = false;
        for (i, [ax, ay]) in self.corners.iter().enumerate() {
            let [bx, by] = self.corners[(i + 1) % self.corners.len()];
            if (*ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
                inside = !inside;
            }
        }
        inside
    }
}

/// One picture of one camera.
pub struct Frame {
    /// Who took it.
    pub camera: Arc<Camera>,
    /// When it arrived here.
    pub taken: Moment,
    /// The stream's own time of it.
    pub pts: Duration,
    /// The picture.
    pub picture: Picture,
}

/// A decoded picture, mapped for reading: NV12 or I420, limited or full range.
pub struct Picture {
    mapped: VideoFrame<Readable>,
    matrix: Matrix,
    range: Range,
    nv12: bool,
}

/// A buffer that cannot be read as a picture.
#[derive(Debug, thiserror::Error)]
pub enum Unmappable {
    /// Neither NV12 nor I420.
    #[error("frames in {0} are not read; NV12 and I420 are")]
    Format(String),
    /// Memory that the CPU cannot map.
    #[error("the buffer could not be mapped for reading")]
    Memory,
}

impl Picture {
    /// Maps `buffer`; nothing is copied.
    ///
    /// # Errors
    /// When the layout is not NV12 or I420, or the memory cannot be mapped.
    pub fn new(buffer: gstreamer::Buffer, info: &gstreamer_video::VideoInfo) -> Result<Self, Unmappable> {
        let nv12 = match info.format() {
            VideoFormat::Nv12 => true,
            VideoFormat::I420 => false,
            other => return Err(Unmappable::Format(other.to_string())),
        };
        let colorimetry = info.colorimetry();
        let matrix = match colorimetry.matrix() {
            VideoColorMatrix::Bt709 => Matrix::Bt709,
            _ => Matrix::Bt601,
        };
        let range = match colorimetry.range() {
            VideoColorRange::Range0_255 => Range::Full,
            _ => Range::Limited,
        };
        let mapped = VideoFrame::from_buffer_readable(buffer, info).map_err(|_| Unmappable::Memory)?;
        Ok(Self { mapped, matrix, range, nv12 })
    }

    /// The picture's size.
    pub fn size(&self) -> Size {
        Size { width: self.mapped.width(), height: self.mapped.height() }
    }

    /// The picture, borrowed.
    pub fn view(&self) -> View<'_> {
        let plane = |index: u32| Plane {
            data: self.mapped.plane_data(index).expect("the format has this plane and it is mapped"),
            stride: self.mapped.plane_stride()[index as usize] as usize,
        };
        let planes = if self.nv12 {
            Planes::Nv12 { luma: plane(0), chroma: plane(1) }
        } else {
            Planes::I420 { luma: plane(0), u: plane(1), v: plane(2) }
        };
        View { size: self.size(), planes, matrix: self.matrix, range: self.range }
    }
}
