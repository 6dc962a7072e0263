//! Section `cameras`: where pictures come from.

use crate::value::Secret;
use std::{path::PathBuf, time::Duration};

/// One camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Key `url`, as meant.
    pub source: Source,
    /// User and password of the camera, apart from its URL.
    pub login: Option<Login>,
    /// The opt-in zone: corners of a polygon, 0..=1 of width and height. Empty = the whole picture.
    /// Faces outside are counted, never embedded.
    pub zone: Vec<[f32; 2]>,
    /// Jitter buffer of RTSP. Default 100 ms.
    pub latency: Duration,
    /// A frame older than this means that the camera is lost. Default 2 s.
    pub silence: Duration,
}

/// Where a camera's pictures come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `rtsp://…` or `rtsps://…`
    Rtsp {
        /// Without user and password.
        url: String,
        /// TCP unless `transport: udp`.
        transport: Transport,
    },
    /// `/dev/video0`
    V4l2 {
        /// The device node.
        device: PathBuf,
    },
    /// `file:PATH`, any container that GStreamer plays; loops unless replayed.
    File {
        /// The file.
        path: PathBuf,
    },
    /// `csi:0`: the camera connector of a Jetson.
    Csi {
        /// `sensor-id`.
        sensor: u32,
    },
    /// `stills:PATH`: a camera made of pictures, with ground truth (a crowd file, YAML).
    Stills {
        /// The crowd file.
        path: PathBuf,
    },
}

/// How RTP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Transport {
    /// Interleaved in the RTSP connection: nothing is lost on the way.
    #[default]
    Tcp,
    /// Datagrams.
    Udp,
}

/// User and password.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// Read from `password_file`, or `password`.
    pub password: Secret,
}
