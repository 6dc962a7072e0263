//! Why a camera gives no pictures: reasons as data.

use gstreamer as gst;
use std::{path::PathBuf, time::Duration};

/// What the pipeline's own error about a refused certificate says.
pub(crate) const UNTRUSTED: &str = "the certificate is not trusted";

/// What the pipeline's own error about a camera that sends us elsewhere says.
pub(crate) const OUTSIDE: &str = "the camera sends whoever calls it outside";

/// What is said of a description of streams without one that can be had.
const NO_VIDEO: &str = "it describes no video that can be set up";

/// Why a camera is lost, or could not be opened. No text carries a credential.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The stream of a live camera ended: it was switched off, or its network cut.
    #[error("the camera ended its stream")]
    Ended,
    /// Connected, but no frame for this long.
    #[error("no frame for {} ms; check the camera's stream and its network", .0.as_millis())]
    Silent(Duration),
    /// Nobody answers at this place (host and port, or a device node).
    #[error("nothing answers at {0}; check address, cable and power")]
    Unreachable(String),
    /// The camera answers, but knows no such stream.
    #[error("the camera at {0} has no such stream; check the path in `url`")]
    NoSuchStream(String),
    /// At an address that `capture.allow` does not admit, or it sends us to one.
    #[error(
        "the camera at {0} is in no network that cameras may be in; mend `url` or the name, or write its network in `capture: {{ allow: […] }}`"
    )]
    Outside(String),
    /// User and password are refused, or missing.
    #[error("the camera at {0} refuses the login; check `user` and `password_file`")]
    Login(String),
    /// The certificate of an `rtsps` camera is not trusted, or is another's.
    #[error(
        "the certificate of the camera at {0} is not trusted; name its authority in `ca` and the camera in `url` as its certificate does"
    )]
    Certificate(String),
    /// A file, device or folder that is not there.
    #[error("{} cannot be opened; check that it exists and may be read", .0.display())]
    NotThere(PathBuf),
    /// A GStreamer element or decoder is not installed.
    #[error("GStreamer has no {0}; install the plugin package that brings it")]
    Missing(String),
    /// What arrives is no picture that can be read.
    #[error("the stream cannot be read ({0})")]
    Unreadable(String),
    /// A crowd file or its pictures cannot be used.
    #[error("{0}")]
    Crowd(String),
}

impl Fault {
    /// The reason as a label of [`crate::metrics::CAMERA_LOST`].
    pub fn label(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Silent(_) => "silent",
            Self::Unreachable(_) => "unreachable",
            Self::NoSuchStream(_) => "no_such_stream",
            Self::Outside(_) => "outside",
            Self::Login(_) => "login",
            Self::Certificate(_) => "certificate",
            Self::NotThere(_) => "not_there",
            Self::Missing(_) => "missing",
            Self::Unreadable(_) => "unreadable",
            Self::Crowd(_) => "crowd",
        }
    }

    /// What an element's error means for a camera at `place`.
    ///
    /// The element's own debug text is not passed on: it may quote addresses in full. Its message is, without
    /// anything that looks like a login.
    pub(crate) fn of(error: &gst::glib::Error, debug: Option<&str>, place: &Place) -> Self {
        use gst::{CoreError, ResourceError, StreamError};
        let says = |word: &str| debug.is_some_and(|debug| debug.contains(word));
        let missing = error.matches(CoreError::MissingPlugin) || error.matches(StreamError::CodecNotFound);
        match place {
            // Nothing to decode was offered: no decoder would help.
            _ if missing && error.message().contains("No supported stream") => Self::Unreadable(NO_VIDEO.into()),
            _ if missing => Self::Missing("decoder for this stream".into()),
            Place::Node(path) if error.kind::<ResourceError>().is_some() => Self::NotThere(path.clone()),
            Place::Net(host) => match error.kind::<ResourceError>() {
                _ if says(UNTRUSTED) => Self::Certificate(host.clone()),
                _ if says(OUTSIDE) => Self::Outside(host.clone()),
                Some(ResourceError::NotAuthorized) => Self::Login(host.clone()),
                Some(ResourceError::NotFound) if says("(404)") || says("Not Found") => Self::NoSuchStream(host.clone()),
                Some(ResourceError::OpenRead | ResourceError::OpenWrite | ResourceError::OpenReadWrite) => {
                    Self::Unreachable(host.clone())
                }
                Some(_) if says("Got error response") => Self::Unreadable("it refuses with an RTSP error".into()),
                Some(ResourceError::Read | ResourceError::Write) => Self::Ended,
                Some(_) => Self::Unreadable(NO_VIDEO.into()),
                None => Self::Unreadable(without_login(error.message())),
            },
            Place::Node(_) => Self::Unreadable(without_login(error.message())),
        }
    }
}

/// Where a camera is, in words that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// `host:port`
    Net(String),
    /// A device node or file.
    Node(PathBuf),
}

impl Place {
    /// Host and port of `url`, without user, password, path and query.
    pub(crate) fn of_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host = authority.rsplit_once('@').map_or(authority, |(_login, host)| host);
        Self::Net(host.to_owned())
    }
}

/// `text` with every `user:password@` taken out of the addresses in it.
fn without_login(text: &str) -> String {
    let clean = |word: &str| match (word.find("://"), word.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}…{}", &word[..scheme + 3], &word[at..]),
        _ => word.to_owned(),
    };
    text.split(' ').map(clean).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_no_login_and_no_path() {
        let place = Place::of_url("rtsp://admin:pa@ss@10.0.0.7:8554/main?key=1");
        assert_eq!(place, Place::Net("10.0.0.7:8554".into()));
        assert_eq!(Place::of_url("rtsps://cam.local"), Place::Net("cam.local".into()));
    }

    #[test]
    fn an_elements_message_loses_the_login_in_it() {
        let said = without_login("could not read rtsp://admin:secret@10.0.0.7/a from it");
        assert_eq!(said, "could not read rtsp://…@10.0.0.7/a from it");
    }

    #[test]
    fn every_reason_says_what_to_do_next() {
        let wrong_path = Fault::NoSuchStream("10.0.0.7:554".into());
        assert_eq!(wrong_path.to_string(), "the camera at 10.0.0.7:554 has no such stream; check the path in `url`");
        let silent = Fault::Silent(Duration::from_secs(2));
        assert_eq!(silent.to_string(), "no frame for 2000 ms; check the camera's stream and its network");
        let away = Fault::Unreachable("10.0.0.7:554".into());
        assert!(away.to_string().ends_with("check address, cable and power"));
        assert!(Fault::Login("a".into()).to_string().ends_with("check `user` and `password_file`"));
    }
}
