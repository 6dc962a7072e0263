//! Decoders: what turns a camera's stream into pictures on this machine.

use crate::capture::hush;
use gstreamer as gst;
use gstreamer::prelude::*;

/// The formats that cameras speak, by the name that people know and by GStreamer's.
const FORMATS: [(&str, &str); 3] = [("H.264", "video/x-h264"), ("H.265", "video/x-h265"), ("MJPEG", "image/jpeg")];

/// The decoders of each format that cameras speak, the one that will be taken first.
///
/// # Errors
/// When GStreamer cannot be initialised.
pub(crate) fn found() -> Result<Vec<(&'static str, Vec<String>)>, String> {
    hush::ready().map_err(|error| error.to_string())?;
    let all = gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DECODER, gst::Rank::MARGINAL);
    let of = |caps: &str| {
        let caps = gst::Caps::builder(caps).build();
        let mut able: Vec<_> = all.iter().filter(|factory| factory.can_sink_any_caps(&caps)).collect();
        able.sort_by_key(|factory| std::cmp::Reverse(factory.rank()));
        able.into_iter().map(|factory| factory.name().to_string()).collect()
    };
    Ok(FORMATS.map(|(name, caps)| (name, of(caps))).into())
}
