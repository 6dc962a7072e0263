//! The GStreamer pipeline of each kind of source.
//!
//! Every pipeline ends in one appsink that takes NV12 and I420 as decoded. What decoders hand out in a device's memory
//! (`memory:NVMM`) goes through `nvvidconv`, in hardware. Only where a source gives neither layout (raw YUY2 and 4:2:2
//! MJPEG of webcams) is there one `videoconvert`, chosen when the pad's caps are seen: no camera that gives
//! 4:2:0 ever pays for it. Decoders are picked by rank, so a machine with a hardware decoder uses it.
//!
//! No element or property here is newer than GStreamer 1.20.

use crate::capture::{
    fault::{self, Fault, Place},
    hush, reach,
};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use std::{path::Path, time::Duration};
use tracing::warn;
use usher_config::{
    capture::{Camera, Source, Transport},
    reach::Network,
};

/// How fast a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// As the world goes: what is not taken in time is replaced by the next; a file plays at its own speed.
    Live,
    /// As fast as frames are taken; each is handed on.
    AsTaken,
}

/// A pipeline that is built, not yet started, its sink, and where it looks.
pub(crate) struct Built {
    pub(crate) pipeline: gst::Pipeline,
    pub(crate) sink: AppSink,
    pub(crate) place: Place,
}

/// The pipeline of `settings`' source.
///
/// # Errors
/// When an element is not installed. `stills:` has no pipeline and is [`Fault::Missing`] here.
pub(crate) fn build(settings: &Camera, speed: Speed) -> Result<Built, Fault> {
    hush::ready().map_err(|_| Fault::Missing("library that can be initialised".into()))?;
    let pipeline = gst::Pipeline::new();
    let plays_in_time = matches!(settings.source, Source::File { .. }) && speed == Speed::Live;
    let sink = appsink(speed, plays_in_time);
    add(&pipeline, &[sink.upcast_ref()])?;
    let place = match &settings.source {
        Source::Rtsp { url, transport } => rtsp(&pipeline, &sink, settings, url, *transport)?,
        Source::V4l2 { device } => v4l2(&pipeline, &sink, device)?,
        Source::File { path } => file(&pipeline, &sink, path)?,
        Source::Csi { sensor } => csi(&pipeline, &sink, *sensor)?,
        Source::Stills { .. } => return Err(Fault::Missing("element for `stills:`".into())),
    };
    Ok(Built { pipeline, sink, place })
}

fn appsink(speed: Speed, in_time: bool) -> AppSink {
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["NV12", "I420"])).build();
    // `leaky-type` would need 1.28; one place that drops says the same. `enable-last-sample` would hold a second
    // buffer of the decoder's small pool.
    AppSink::builder()
        .caps(&caps)
        .max_buffers(1)
        .drop(speed == Speed::Live)
        .sync(in_time)
        .enable_last_sample(false)
        .build()
}

fn rtsp(
    pipeline: &gst::Pipeline,
    sink: &AppSink,
    settings: &Camera,
    url: &str,
    transport: Transport,
) -> Result<Place, Fault> {
    let source = element("rtspsrc")?;
    let location = reach::admitted(url, &settings.within)?;
    source.set_property("location", &location);
    stay_within(&source, location, settings.within.clone());
    source.set_property_from_str("protocols", if transport == Transport::Tcp { "tcp" } else { "udp" });
    source.set_property("latency", u32::try_from(settings.latency.as_millis()).unwrap_or(u32::MAX));
    source.set_property("drop-on-latency", true);
    if let Some(login) = &settings.login {
        hush::keep(login);
        source.set_property("user-id", &login.user);
        source.set_property("user-pw", login.password.reveal());
    }
    if let Some(ca) = &settings.ca {
        let trusted = gio::TlsFileDatabase::new(ca).map_err(|_| Fault::NotThere(ca.clone()))?;
        source.set_property("tls-database", trusted);
    }
    // The error that follows a refused certificate says "Generic error"; this one comes before it and says more.
    source.connect("accept-certificate", false, |values| {
        if let Some(source) = values.first().and_then(|value| value.get::<gst::Element>().ok()) {
            gst::element_error!(
                source,
                gst::ResourceError::NotAuthorized,
                ("{}", fault::UNTRUSTED),
                ["{}", fault::UNTRUSTED]
            );
        }
        Some(false.to_value())
    });
    // Sound and metadata are not asked for, so the camera does not send them.
    source.connect("select-stream", false, |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let is_video = caps.is_some_and(|caps| {
            caps.structure(0).is_some_and(|stream| stream.get::<&str>("media").is_ok_and(|media| media == "video"))
        });
        Some(is_video.to_value())
    });
    let decode = decoder(sink)?;
    add(pipeline, &[&source, &decode])?;
    let decode = decode.downgrade();
    source.connect_pad_added(move |_, pad| {
        let Some(decode) = decode.upgrade() else { return };
        if let Some(free) = decode.static_pad("sink").filter(|free| !free.is_linked()) {
            link(pad, &free);
        }
    });
    Ok(Place::of_url(url))
}

/// A camera may send whoever calls it elsewhere (301, 302), and the element goes there: nothing is said to anybody who stands outside.
fn stay_within(source: &gst::Element, admitted: String, within: Vec<Network>) {
    source.connect("before-send", false, move |values| {
        let source = values.first().and_then(|value| value.get::<gst::Element>().ok());
        let location = source.as_ref().and_then(|source| source.property::<Option<String>>("location"));
        let stays = location.is_some_and(|location| reach::may_follow(&location, &admitted, &within));
        if let Some(source) = source.filter(|_| !stays) {
            gst::element_error!(source, gst::ResourceError::Failed, ("{}", fault::OUTSIDE), ["{}", fault::OUTSIDE]);
        }
        Some(stays.to_value())
    });
}

fn v4l2(pipeline: &gst::Pipeline, sink: &AppSink, device: &Path) -> Result<Place, Fault> {
    let source = element("v4l2src")?;
    source.set_property("device", device.to_string_lossy().as_ref());
    // In order of liking: planes as we want them, compressed, raw 4:2:2. At least 10 a second, since USB cameras offer
    // their largest raw picture at 5; at most 1080p. Last, whatever it has.
    let kinds = "video/x-raw, format=(string){NV12, I420}, width=[1, 1920], height=[1, 1088], framerate=[10/1, 120/1]; \
                 image/jpeg, width=[1, 1920], height=[1, 1088], framerate=[10/1, 120/1]; \
                 video/x-raw, width=[1, 1920], height=[1, 1088], framerate=[10/1, 120/1]; \
                 video/x-raw; image/jpeg; video/x-h264";
    let kinds: gst::Caps = kinds.parse().expect("the caps are written correctly");
    let filter = element("capsfilter")?;
    filter.set_property("caps", kinds);
    let decode = decoder(sink)?;
    add(pipeline, &[&source, &filter, &decode])?;
    join(&[&source, &filter, &decode])?;
    Ok(Place::Node(device.to_owned()))
}

fn file(pipeline: &gst::Pipeline, sink: &AppSink, path: &Path) -> Result<Place, Fault> {
    let source = element("filesrc")?;
    source.set_property("location", path.to_string_lossy().as_ref());
    let decode = decoder(sink)?;
    add(pipeline, &[&source, &decode])?;
    join(&[&source, &decode])?;
    Ok(Place::Node(path.to_owned()))
}

fn csi(pipeline: &gst::Pipeline, sink: &AppSink, sensor: u32) -> Result<Place, Fault> {
    let source = element("nvarguscamerasrc")?;
    source.set_property_from_str("sensor-id", &sensor.to_string());
    let convert = element("nvvidconv")?;
    add(pipeline, &[&source, &convert])?;
    join(&[&source, &convert, sink.upcast_ref()])?;
    Ok(Place::Node(format!("csi:{sensor}").into()))
}

/// A decodebin whose first video pad is led to `sink`.
fn decoder(sink: &AppSink) -> Result<gst::Element, Fault> {
    let decode = element("decodebin")?;
    let sink = sink.downgrade();
    decode.connect_pad_added(move |decode, pad| {
        let (Some(sink), Some(pipeline)) = (sink.upgrade(), decode.parent()) else { return };
        let Some(pipeline) = pipeline.downcast_ref::<gst::Pipeline>() else { return };
        if let Err(fault) = lead(pipeline, pad, &sink) {
            gst::element_error!(decode, gst::CoreError::MissingPlugin, ("{fault}"));
        }
    });
    Ok(decode)
}

/// Links a decoded `pad` to `sink`, through a converter where its caps need one. Pads that are not video stay open.
fn lead(pipeline: &gst::Pipeline, pad: &gst::Pad, sink: &AppSink) -> Result<(), Fault> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let free = sink.static_pad("sink").expect("an appsink has a sink pad");
    let Some(picture) = caps.structure(0).filter(|first| first.name() == "video/x-raw") else { return Ok(()) };
    if free.is_linked() {
        return Ok(());
    }
    let in_device = caps.features(0).is_some_and(|features| features.contains("memory:NVMM"));
    let as_wanted = picture.get::<&str>("format").is_ok_and(|format| matches!(format, "NV12" | "I420"));
    let converter = match (in_device, as_wanted) {
        (true, _) => element("nvvidconv")?,
        (false, true) => {
            link(pad, &free);
            return Ok(());
        }
        (false, false) => {
            warn!(format = ?picture.get::<&str>("format").ok(), "every frame is converted: the source gives no 4:2:0");
            element("videoconvert")?
        }
    };
    add(pipeline, &[&converter])?;
    join(&[&converter, sink.upcast_ref()])?;
    converter.sync_state_with_parent().map_err(|_| Fault::Unreadable("a converter did not start".into()))?;
    link(pad, &converter.static_pad("sink").expect("a converter has a sink pad"));
    Ok(())
}

/// Links two pads; a link that does not fit shows as a `not-negotiated` error of the stream, so it is only noted.
fn link(from: &gst::Pad, to: &gst::Pad) {
    if let Err(error) = from.link(to) {
        warn!(from = %from.name(), to = %to.name(), %error, "pads do not fit");
    }
}

fn element(name: &str) -> Result<gst::Element, Fault> {
    gst::ElementFactory::make(name).build().map_err(|_| Fault::Missing(format!("element `{name}`")))
}

fn add(pipeline: &gst::Pipeline, elements: &[&gst::Element]) -> Result<(), Fault> {
    pipeline.add_many(elements).map_err(|_| Fault::Unreadable("elements could not be added".into()))
}

fn join(elements: &[&gst::Element]) -> Result<(), Fault> {
    gst::Element::link_many(elements).map_err(|_| Fault::Unreadable("elements could not be linked".into()))
}

/// The settings of a file that is replayed.
pub(crate) fn of_file(path: &Path) -> Camera {
    Camera {
        source: Source::File { path: path.to_owned() },
        login: None,
        ca: None,
        count: usher_config::count::Count::default(),
        within: Vec::new(),
        zone: Vec::new(),
        latency: Duration::ZERO,
        silence: Duration::from_secs(2),
    }
}
