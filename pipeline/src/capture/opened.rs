//! An open pipeline: pictures out, faults as data.

use crate::capture::{
    fault::{Fault, Place},
    frame::Picture,
    source::{self, Built, Speed},
    teardown::Teardowns,
};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_video::VideoInfo;
use std::time::Duration;
use usher_config::capture::Camera;

/// A pipeline that plays. Hand it to [`Opened::closer`] when done with it: bringing it down may take its time.
pub(crate) struct Opened {
    pipeline: gst::Pipeline,
    sink: AppSink,
    place: Place,
    layout: Option<(gst::Caps, VideoInfo)>,
}

/// What a pipeline has to say next.
#[expect(clippy::large_enum_variant, reason = "a mapped frame is moved once, not stored in numbers")]
pub(crate) enum Next {
    /// A picture, and the stream's own time of it.
    Picture(Picture, Duration),
    /// Nothing within the patience given.
    Nothing,
    /// The stream has ended.
    End,
    /// A buffer that cannot be read; one datum to pass over.
    Unmappable,
}

impl Opened {
    /// Builds `settings`' pipeline and starts it; frames come later.
    ///
    /// # Errors
    /// When an element is missing or the source refuses at once; what was begun goes to `teardowns`.
    pub(crate) fn open(settings: &Camera, speed: Speed, teardowns: &mut Teardowns) -> Result<Self, Fault> {
        let Built { pipeline, sink, place } = source::build(settings, speed)?;
        let opened = Self { pipeline, sink, place, layout: None };
        if opened.pipeline.set_state(gst::State::Playing).is_ok() {
            return Ok(opened);
        }
        let fault = opened.fault().unwrap_or(Fault::Unreadable("the pipeline did not start".into()));
        teardowns.begin(opened.closer());
        Err(fault)
    }

    /// The next picture, waiting up to `patience` for it.
    ///
    /// # Errors
    /// When an element has failed; the pipeline is of no more use then.
    pub(crate) fn next(&mut self, patience: Duration) -> Result<Next, Fault> {
        let patience = gst::ClockTime::from_nseconds(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
        let Some(sample) = self.sink.try_pull_sample(patience) else {
            return match self.fault() {
                Some(fault) => Err(fault),
                None if self.sink.is_eos() => Ok(Next::End),
                None => Ok(Next::Nothing),
            };
        };
        let Some(info) = self.layout_of(&sample)? else { return Ok(Next::Unmappable) };
        let Some(buffer) = sample.buffer_owned() else { return Ok(Next::Unmappable) };
        let pts = buffer.pts().unwrap_or_default();
        let stream = sample.segment().and_then(|segment| {
            segment.downcast_ref::<gst::ClockTime>().and_then(|segment| segment.to_stream_time(pts))
        });
        // The sample is given up first, so that the buffer has one owner and nothing needs to be copied to map it.
        drop(sample);
        Ok(match Picture::new(buffer, &info) {
            Ok(picture) => Next::Picture(picture, stream.unwrap_or(pts).into()),
            Err(_) => Next::Unmappable,
        })
    }

    fn layout_of(&mut self, sample: &gst::Sample) -> Result<Option<VideoInfo>, Fault> {
        let Some(caps) = sample.caps_owned() else { return Ok(None) };
        if let Some((known, info)) = &self.layout
            && *known == caps
        {
            return Ok(Some(info.clone()));
        }
        let info = VideoInfo::from_caps(&caps).map_err(|_| Fault::Unreadable("its caps are no video".into()))?;
        self.layout = Some((caps, info.clone()));
        Ok(Some(info))
    }

    /// Frames a second as the stream itself says, if it does.
    pub(crate) fn said_fps(&self) -> Option<f64> {
        let (_, info) = self.layout.as_ref()?;
        let fps = info.fps();
        (fps.numer() > 0 && fps.denom() > 0).then(|| f64::from(fps.numer()) / f64::from(fps.denom()))
    }

    /// `NV12` or `I420`, once a picture came.
    pub(crate) fn format(&self) -> Option<String> {
        self.layout.as_ref().map(|(_, info)| info.format().to_string())
    }

    /// The first error on the bus, if any.
    fn fault(&self) -> Option<Fault> {
        let bus = self.pipeline.bus()?;
        let message = bus.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(Fault::of(&error.error(), error.debug().as_deref(), &self.place)),
            _ => None,
        }
    }

    /// The deed of bringing it down to NULL; it may block for as long as the camera's driver or network likes.
    pub(crate) fn closer(self) -> impl FnOnce() + Send + 'static {
        move || {
            // A failure changes nothing: the object is dropped next.
            let _state = self.pipeline.set_state(gst::State::Null);
        }
    }
}
