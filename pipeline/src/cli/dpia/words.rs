//! Words: what is processed of whom, what protects it as configured, and which measured figures speak of it.
//!
//! What is told holds for this configuration; the general form is docs/privacy.md.

use crate::cli::dpia::facts::{is_readable, time};
use serde::Serialize;
use std::net::SocketAddr;
use usher_config::{
    Config,
    decide::{Gate, Liveness, Mode},
    publish::Broker,
};

/// What is processed of somebody.
#[derive(Debug, Serialize)]
pub(super) struct Processing {
    pub(super) whom: &'static str,
    pub(super) what: String,
    pub(super) place: &'static str,
    pub(super) how_long: String,
    pub(super) readers: &'static str,
}

fn names<'a>(config: &'a Config, which: impl Fn(&Gate) -> bool + 'a) -> String {
    let names = config.gates.iter().filter(move |(_, gate)| which(gate)).map(|(name, _)| name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn identifies(gate: &Gate) -> bool {
    matches!(gate.mode, Mode::Identification { .. })
}

/// What is processed here, of whom, where and how long.
pub(super) fn processing(config: &Config) -> Vec<Processing> {
    let row = |whom, what: &str, place, how_long: &str, readers| Processing {
        whom,
        what: what.to_owned(),
        place,
        how_long: how_long.to_owned(),
        readers,
    };
    let (open, closed) = (names(config, identifies), names(config, |gate| !identifies(gate)));
    let mut rows = vec![
        row("everybody in a picture", "frames", "memory", "until the next frame", "the operator, while they watch"),
        row(
            "everybody in a picture",
            "position and size of the face; a count by camera and gate",
            "memory",
            "until the track ends (seconds); counts stay",
            "nobody; counts: whoever reads metrics",
        ),
    ];
    if !open.is_empty() {
        rows.push(row(
            "people who did not enrol, in the opt-in zone",
            &format!(
                "at {open}: a template of each look and one portrait, compared with everybody whose key the box holds and with \
                 whoever showed a pass today"
            ),
            "memory",
            "until the track ends (seconds)",
            "nobody",
        ));
    }
    if !closed.is_empty() {
        rows.push(row(
            "people who did not enrol, in the opt-in zone",
            &format!(
                "at {closed}: nothing is embedded while nobody has shown a pass to a camera of this box today; from then on a \
                 template of each look and one portrait, compared with those who have and with nobody else"
            ),
            "memory",
            "until the track ends (seconds)",
            "nobody",
        ));
    }
    let told =
        "name, sports, language, wishes (some about food may tell of belief or health), arrival; templates of the face";
    let kept = "until forgotten or expired (below)";
    if config.identifies() {
        rows.push(row(
            "visitors of whom the box holds the key",
            told,
            "gallery.db, sealed under a key of their own, which the box key wraps; memory of the gate",
            kept,
            "whoever holds the data folder and the box key",
        ));
    }
    rows.extend([
        row(
            "visitors who hold their key in their pass",
            told,
            "gallery.db, sealed under a key of their own, which their pass's key and the box key wrap",
            kept,
            "whoever holds the data folder, the box key and this visitor's pass",
        ),
        row(
            "visitors who showed their pass",
            "the same, opened",
            "memory, locked where `usher run` may lock it",
            "until 04:00 by the box's time zone, until forgotten or expired, or until usher ends",
            "whoever is root on the running box",
        ),
        row(
            "visitors with a pass without a face",
            "name, sports, language, wishes, arrival; no template. Whoever shows the pass is greeted",
            "gallery.db, as above",
            kept,
            "whoever holds the data folder, the box key and the pass",
        ),
        row(
            "visitors who agreed to it (`usher enrol --keep-pictures`)",
            "aligned crops of the face, 112×112",
            "gallery.db, sealed as templates are",
            kept,
            "as their templates",
        ),
        row(
            "visitors, while they enrol at the page",
            "pictures of the face: while framing, before they agree, searched for a face and nothing else; views, once they agreed, \
             embedded",
            "the page's memory, the decoder's and the desk's memory; no file",
            "framing: milliseconds; views: in the page until \"agree\" or 30 idle seconds, then until the templates are made",
            "whoever stands at the tablet",
        ),
        row(
            "visitors",
            "the record of their consent (ISO/IEC TS 27560), with the guardian's name for minors",
            "gallery.db, sealed as the name is; a signed receipt in the visitor's hands",
            kept,
            "as their name; the visitor",
        ),
        row(
            "visitors",
            "audit log: random id, hash of the notice, who holds the key, whether there is a face, dates, why forgotten; no name",
            "audit.log, 0600, hash-chained and signed",
            "until the data folder is deleted; deleting it alone forgets everybody",
            "whoever reads the data folder",
        ),
        row(
            "visitors who came to a gate",
            "visits: random id, gate, camera, time, figures; no name",
            "outbox.db, then the broker",
            &format!("until acknowledged, at most {}; then at most the gate's quiet time", time(config.publish.keep.as_secs())),
            "whoever reads the data folder; subscribers of the topic",
        ),
        row(
            "visitors who are greeted",
            if config.publish.face { "name, sport, sessions; the live face" } else { "name, sport, sessions; no face" },
            "memory, then MQTT, never retained",
            &time(config.publish.greeting.as_secs()),
            "screens, and whoever looks at them",
        ),
        row(
            "everybody who was decided about",
            if config.web.why.pictures {
                "figures of looks and rules; of whoever was named the id and the portrait"
            } else {
                "figures of looks and rules; of whoever was named the id"
            },
            "memory, the last 256 decisions",
            "until newer ones take their place, or usher ends",
            "the operator, after signing in",
        ),
        row("staff", "name of the token and its SHA-256", "staff.json, 0600", "until removed", "whoever reads the data folder"),
    ]);
    rows
}

/// What protects it.
#[derive(Debug, Serialize)]
pub(super) struct Measure {
    pub(super) about: &'static str,
    pub(super) as_configured: String,
}

fn reach(address: SocketAddr) -> String {
    let who = if address.ip().is_loopback() { "this machine only" } else { "the network" };
    format!("{address} ({who})")
}

/// Security measures, as configured.
pub(super) fn measures(config: &Config) -> Vec<Measure> {
    let measure = |about, as_configured: String| Measure { about, as_configured };
    let custody = if config.identifies() {
        format!(
            "the box holds the key of whoever enrols for {}; of others only their pass does",
            names(config, identifies)
        )
    } else {
        "no gate may compare everybody: whoever enrols holds the key in their pass, and the box alone opens nothing"
            .to_owned()
    };
    let key = match &config.gallery.key {
        Some(path) => format!("the file {}", path.display()),
        None => {
            format!("the systemd credential gallery.key where there is one, else {}/gallery.key", config.data.display())
        }
    };
    let broker = match &config.publish.broker {
        Broker::Embedded { listen, websocket } => format!(
            "embedded, without TLS; MQTT {}, WebSocket {}; passwords and topics: docs/events",
            reach(*listen),
            reach(*websocket)
        ),
        Broker::External { host, port, tls, .. } => {
            format!("{host}:{port}, {}", if tls.is_some() { "TLS" } else { "without TLS" })
        }
    };
    let station = match &config.web.enrol {
        None => "none is served; visitors enrol at a desk (`usher enrol`) and have no page of their own".to_owned(),
        Some(enrol) => format!(
            "TLS, {}; certificate: {}; opened by staff tokens, kept as SHA-256; rates limited by address",
            reach(enrol.listen),
            if enrol.certificate.is_some() { "the site's own" } else { "made by the box, which browsers do not know" }
        ),
    };
    let readable = config.cameras.values().filter(|camera| is_readable(camera)).count();
    vec![
        measure(
            "storage",
            "XChaCha20-Poly1305, a key for each visitor; forgetting destroys it and erases the row".to_owned(),
        ),
        measure("who holds keys", custody),
        measure("box key", key),
        measure("broker", broker),
        measure("signage and operator pages", format!("HTTP, {}; names after signing in", reach(config.web.listen))),
        measure("enrolment page and visitors' pages", station),
        measure("camera streams", format!("{readable} of {} cross a network unencrypted", config.cameras.len())),
        measure("live faces to screens (`publish.face`)", if config.publish.face { "on" } else { "off" }.to_owned()),
        measure(
            "portraits with reasons (`web.why.pictures`)",
            if config.web.why.pictures { "on" } else { "off" }.to_owned(),
        ),
        measure(
            "memory",
            "core dumps are forbidden, memory is locked where the system lets it (LimitMEMLOCK)".to_owned(),
        ),
        measure(
            "strangers' pictures",
            "decoded in a child that opens no file and no socket (page; not `usher enrol`)".to_owned(),
        ),
        measure("proof", "audit log, hash-chained and signed; `usher audit verify`".to_owned()),
    ]
}

/// A measured figure.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    pub(super) what: &'static str,
    /// As it stands in the source.
    pub(super) figure: &'static str,
    pub(super) source: &'static str,
}

const LFW: &str = "docs/accuracy.md, Labelled Faces in the Wild";

/// Figures of the shipped networks that this configuration uses.
pub(super) fn figures(config: &Config) -> Vec<Figure> {
    let mut all = Vec::new();
    if config.infer.embedder == "sface" {
        let of = |what, figure| Figure { what, figure, source: LFW };
        all.extend([
            of("of people enrolled with one picture, not found where 1 % of strangers are named", "3.2 % (1.7–4.7)"),
            of("the same, enrolled with three pictures", "0.1 % (0–0.5)"),
            of("of walks by bad light, missed by all rules where .3 % of strangers are named", "4.6 % (1.8–7.9)"),
        ]);
    }
    if config.infer.liveness == "minifasnet" && config.gates.values().any(|gate| gate.liveness != Liveness::Off) {
        let what = "of live people, taken for a picture held up (one picture each)";
        all.push(Figure { what, figure: "14 % (12–16)", source: LFW });
    }
    all.push(Figure {
        what: "of rendered passes, read in one frame at 1.5 m",
        figure: "299 of 300",
        source: "docs/accuracy-pass.md",
    });
    all
}

/// What is risky about this configuration, in words.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = config.warnings();
    let notice = &config.gallery.notice;
    if notice.controller.is_none() || notice.contact.is_none() {
        warnings.push("`gallery.notice` does not say who answers for the data and how they are reached".to_owned());
    }
    warnings.extend(config.cameras.iter().filter(|(_, camera)| is_readable(camera)).map(|(name, _)| {
        format!("camera `{name}` sends its pictures unencrypted: use `rtsps://`, or a network of its own")
    }));
    if config.web.why.pictures {
        warnings.push("`web.why.pictures` keeps live pictures of whoever was named in memory".to_owned());
    }
    if config.gallery.event_ends.is_none() && config.guide.programme.is_none() {
        warnings.push(
            "no end of the event is known: whoever enrols is kept from that moment; say `gallery.event_ends`"
                .to_owned(),
        );
    }
    warnings
}
