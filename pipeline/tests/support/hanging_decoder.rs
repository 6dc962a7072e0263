//! A decoder of MJPEG that stands still when it is told to, and that GStreamer likes better than any other.

use gstreamer as gst;
use gstreamer::{glib, prelude::*, subclass::prelude::*};
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Decoders made so far.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// Of which so many, the oldest, stand still.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// Registers it for this process.
pub(crate) fn ready() {
    gst::init().expect("GStreamer is installed");
    let rank = gst::Rank::PRIMARY + 1000;
    gst::Element::register(None, "hangingjpegdec", rank, Hanging::static_type()).expect("the name is free");
}

/// How many were made so far.
pub(crate) fn made() -> usize {
    MADE.load(Ordering::Acquire)
}

/// The oldest `count` of them stand still from now on.
pub(crate) fn stick(count: usize) {
    STUCK.store(count, Ordering::Release);
}

glib::wrapper! {
    pub(crate) struct Hanging(ObjectSubclass<Decoder>) @extends gst::Bin, gst::Element, gst::Object;
}

/// A bin of the usual decoder, behind a door.
#[derive(Default)]
pub(crate) struct Decoder;

#[glib::object_subclass]
impl ObjectSubclass for Decoder {
    const NAME: &'static str = "UsherHangingJpegDec";
    type Type = Hanging;
    type ParentType = gst::Bin;
}

impl ObjectImpl for Decoder {
    fn constructed(&self) {
        self.parent_constructed();
        let own = self.obj();
        let make = |name: &str| gst::ElementFactory::make(name).build().expect("it is installed");
        let (door, decoder) = (make("identity"), make("jpegdec"));
        own.add_many([&door, &decoder]).expect("a bin takes elements");
        door.link(&decoder).expect("they fit");
        let pad = |element: &gst::Element, name: &str| element.static_pad(name).expect("it has this pad");
        for (name, target) in [("sink", pad(&door, "sink")), ("src", pad(&decoder, "src"))] {
            let template = own.pad_template(name).expect("it is declared");
            let ghost = gst::GhostPad::builder_from_template_with_target(&template, &target).expect("they fit");
            own.add_pad(&ghost.name(name).build()).expect("the name is free");
        }
        let number = MADE.fetch_add(1, Ordering::AcqRel) + 1;
        pad(&door, "src").add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            while number <= STUCK.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(10));
            }
            gst::PadProbeReturn::Ok
        });
    }
}

impl GstObjectImpl for Decoder {}

impl ElementImpl for Decoder {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static TOLD: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new("Hanging decoder", "Codec/Decoder/Video", "Stands still", "a test")
        });
        Some(&TOLD)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static PADS: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let template = |name: &str, direction, caps: &str| {
                let caps = gst::Caps::builder(caps).build();
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).expect("it is whole")
            };
            vec![
                template("sink", gst::PadDirection::Sink, "image/jpeg"),
                template("src", gst::PadDirection::Src, "video/x-raw"),
            ]
        });
        &PADS
    }
}

impl BinImpl for Decoder {}
