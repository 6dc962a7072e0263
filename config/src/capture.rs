//! Section `cameras`: where pictures come from.

use crate::{
    count,
    document::{Checks, secret, tree::Entry},
    login::{Login, WrittenLogin, check_file, check_login},
    reach::{self, Network},
    text::{Textual, Unfit, textual, unfit},
    value::Span,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// One camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Key `url`, as meant.
    pub source: Source,
    /// User and password of the camera, apart from its URL.
    pub login: Option<Login>,
    /// Authorities to trust (PEM) for `rtsps://…`; `None` for the system's.
    pub ca: Option<PathBuf>,
    /// Where an RTSP camera may be; see [`crate::reach`].
    pub within: Vec<Network>,
    /// The opt-in zone: corners of a polygon, 0..=1 of width and height. Empty = the whole picture.
    /// Faces outside are counted, never embedded.
    pub zone: Vec<[f32; 2]>,
    /// How it counts people.
    pub count: count::Count,
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

impl Source {
    /// The source that `url` names, as key `url` would; relative paths are relative to `folder`, RTSP goes over TCP.
    ///
    /// # Errors
    /// What is wrong with it, and the mend.
    pub fn from_url(url: &str, folder: &Path) -> Result<Self, Unfit> {
        Ok(Url::read(url)?.meant(folder, Transport::Tcp))
    }
}

/// How RTP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection: nothing is lost on the way.
    #[default]
    Tcp,
    /// Datagrams.
    Udp,
}

/// One camera, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Where its pictures come from: `rtsp://…`, `rtsps://…`, `/dev/video0`, `file:PATH`, `csi:0` or `stills:PATH`.
    #[garde(skip)]
    pub url: Url,
    /// User and password of an RTSP camera; they never stand in the URL.
    #[garde(dive)]
    #[serde(default)]
    pub login: Option<WrittenLogin>,
    /// Authorities to trust (PEM) for `rtsps://…` instead of the system's. A camera that signed its own certificate is its
    /// own authority; the certificate must carry the name or address that stands in `url`.
    #[garde(skip)]
    #[schemars(extend("examples" = ["/etc/usher/cameras.pem"]))]
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// How an RTSP camera sends: `tcp` loses nothing, `udp` waits for nothing.
    #[garde(skip)]
    #[serde(default)]
    pub transport: Transport,
    /// The opt-in zone: corners of a polygon as shares of width and height; empty for the whole picture. Faces outside are
    /// counted, never compared.
    #[garde(inner(inner(range(min = 0.0, max = 1.0))))]
    #[schemars(extend("examples" = [[[0.2, 0.3], [0.8, 0.3], [0.8, 1.0], [0.2, 1.0]]]))]
    #[serde(default)]
    pub zone: Vec<[f32; 2]>,
    /// How it counts people.
    #[garde(dive)]
    #[serde(default)]
    pub count: count::Written,
    /// Jitter buffer of RTSP.
    #[garde(skip)]
    #[schemars(extend("x-least" = "0 s", "x-most" = "5 s"))]
    #[serde(default = "latency")]
    pub latency: Span,
    /// A newest frame older than this means that the camera is lost, and it is connected anew.
    #[garde(skip)]
    #[schemars(extend("x-least" = "500 ms", "x-most" = "60 s"))]
    #[serde(default = "silence")]
    pub silence: Span,
}

fn latency() -> Span {
    Span(Duration::from_millis(100))
}

fn silence() -> Span {
    Span(Duration::from_secs(2))
}

impl Written {
    pub(crate) fn meant(&self, within: &[Network], folder: &Path) -> Camera {
        Camera {
            source: self.url.meant(folder, self.transport),
            login: self.login.as_ref().and_then(|login| login.meant(folder)),
            ca: self.ca.as_ref().map(|ca| folder.join(ca)),
            within: within.to_vec(),
            zone: self.zone.clone(),
            count: self.count.meant(),
            latency: self.latency.0,
            silence: self.silence.0,
        }
    }
}

/// Where pictures come from, as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Url(String);

textual!(Url, "source", "rtsp://192.168.50.11/stream");

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Url {
    fn meant(&self, folder: &Path, transport: Transport) -> Source {
        let text = self.0.as_str();
        if let Some(path) = text.strip_prefix("file:") {
            Source::File { path: folder.join(path) }
        } else if let Some(path) = text.strip_prefix("stills:") {
            Source::Stills { path: folder.join(path) }
        } else if let Some(sensor) = text.strip_prefix("csi:") {
            Source::Csi { sensor: sensor.parse().unwrap_or(0) }
        } else if text.starts_with('/') {
            Source::V4l2 { device: PathBuf::from(text) }
        } else {
            Source::Rtsp { url: text.to_owned(), transport }
        }
    }

    /// Host and port of an RTSP camera, as written.
    fn host(&self) -> Option<&str> {
        let rest = self.0.strip_prefix("rtsp").and_then(|_| self.0.split_once("://"))?.1;
        host_and_port(rest.split(['/', '?']).next()?, "").ok().map(|(host, _)| host)
    }

    /// The file that must be there, if this source is one.
    fn file(&self) -> Option<&str> {
        self.0.strip_prefix("file:").or_else(|| self.0.strip_prefix("stills:"))
    }
}

impl Textual for Url {
    fn read(text: &str) -> Result<Self, Unfit> {
        const KINDS: &str =
            "write `rtsp://HOST/PATH`, `rtsps://…`, `/dev/video0`, `file:PATH`, `csi:0` or `stills:PATH`";
        let taken = Ok(Self(text.to_owned()));
        if let Some((scheme, rest)) = text.split_once("://") {
            refuse_credentials(text)?;
            if !matches!(scheme, "rtsp" | "rtsps") {
                let message = format!("`{scheme}://` is no kind of camera");
                let mend = if scheme == "file" { format!("write `file:{rest}`") } else { KINDS.to_owned() };
                return unfit(message, mend);
            }
            host_and_port(rest.split(['/', '?']).next().unwrap_or_default(), "rtsp://192.168.50.11:554/stream")?;
            return if text.contains(char::is_whitespace) {
                unfit("the URL holds a blank", "write it without blanks (`%20` for one that belongs there)")
            } else {
                taken
            };
        }
        if let Some(path) = text.strip_prefix("file:").or_else(|| text.strip_prefix("stills:")) {
            return if path.trim().is_empty() { unfit("the file's path is missing", KINDS) } else { taken };
        }
        if let Some(sensor) = text.strip_prefix("csi:") {
            return match sensor.parse::<u32>() {
                Ok(0..=15) => taken,
                _ => unfit(
                    format!("`{sensor}` is no camera connector"),
                    "write `csi:0` for the first one, up to `csi:15`",
                ),
            };
        }
        if text.starts_with("/dev/") && text.len() > 5 {
            return taken;
        }
        let path = Path::new(text);
        if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            return unfit(format!("`{text}` is no camera"), format!("write `stills:{text}` for a crowd file"));
        }
        if text.starts_with(['/', '.']) || path.extension().is_some_and(|end| end.len() == 3) {
            return unfit(format!("`{text}` is no camera"), format!("write `file:{text}` for a recording"));
        }
        unfit(format!("`{text}` is no camera"), KINDS)
    }
}

/// Refuses user and password inside an URL, without repeating them.
pub(crate) fn refuse_credentials(text: &str) -> Result<(), Unfit> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // `admin:pa/ss@host`: an unescaped slash inside the password leaves a port that is none.
    let broken = authority.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err());
    if authority.contains('@') || broken && secret::in_url(text).is_some() {
        return unfit(
            "user and password stand inside the URL, where logs and screens would show them",
            "take them out of the URL and write `login: { user: …, password_file: … }` beside it",
        );
    }
    Ok(())
}

/// Checks `HOST`, `HOST:PORT` or `[V6]:PORT`; returns host and port.
pub(crate) fn host_and_port<'t>(authority: &'t str, example: &str) -> Result<(&'t str, Option<u16>), Unfit> {
    let mend = || format!("write host and port, such as `{example}`");
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or("?"))),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return unfit("the URL names no host", mend());
    }
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%')) {
        return unfit(format!("`{host}` is no host name or address"), mend());
    }
    match port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(port)).transpose() {
        Ok(port) => Ok((host, port)),
        Err(port) => unfit(format!("`{port}` is no port"), format!("{}; ports are 1 to 65535", mend())),
    }
}

/// What must hold between the values of one camera.
pub(crate) fn check(checks: &mut Checks<'_>, entry: &Entry, folder: &Path) {
    let path = format!("cameras.{}", entry.key);
    let camera = &entry.value;
    let url = camera.get("url").and_then(|node| Some((node, Url::read(node.text()?).ok()?)));
    if let Some((node, url)) = &url {
        if let Some(file) = url.file().filter(|file| !folder.join(file).is_file()) {
            let message = format!("the file `{}` is not there", folder.join(file).display());
            let mend = "put it there, or mend the path: it is relative to the folder of the configuration";
            checks.find(node.span.clone(), format!("{path}.url"), message, mend);
        }
        if let Some(message) = url.host().and_then(|host| reach::refused(checks.root, host)) {
            checks.find(node.span.clone(), format!("{path}.url"), message, reach::MEND);
        }
        let rtsp = url.0.starts_with("rtsp");
        for key in ["login", "transport"].into_iter().filter(|_| !rtsp) {
            if let Some(entry) = camera.entry(key) {
                let message = format!("`{key}` is for RTSP cameras, and `{}` is none", url.0);
                checks.find(entry.key_span.clone(), format!("{path}.{key}"), message, "remove it");
            }
        }
    }
    if let Some(ca) = camera.entry("ca").filter(|entry| entry.value.text().is_some()) {
        if let Some((_, url)) = url.as_ref().filter(|(_, url)| !url.0.starts_with("rtsps://")) {
            let message = format!("`ca` is for `rtsps://…`, and `{}` has no certificate", url.0);
            checks.find(ca.key_span.clone(), format!("{path}.ca"), message, "remove it, or write `rtsps://…`");
        }
        check_file(checks, &ca.value, format!("{path}.ca"), folder);
    }
    if let Some(zone) = camera.entry("zone") {
        let corners = zone.value.items().len();
        if (1..3).contains(&corners) {
            let message = format!(
                "`zone` has {corners} {}, and a polygon has three or more",
                if corners == 1 { "corner" } else { "corners" }
            );
            let mend = "write three corners or more, such as `[[0.2, 0.3], [0.8, 0.3], [0.5, 1.0]]`, or `[]` for the whole picture";
            checks.find(zone.key_span.clone(), format!("{path}.zone"), message, mend);
        }
    }
    count::check(checks, entry, &path);
    if let Some(login) = camera.entry("login") {
        check_login(checks, login, &format!("{path}.login"), folder);
    }
}
