//! Section `publish`: who must hear, and over which broker.

use crate::{
    capture::{host_and_port, refuse_credentials},
    document::{
        Checks,
        tree::{Entry, Kind, Node},
    },
    login::{Login, WrittenLogin, check_file, check_login},
    text::{Textual, Unfit, textual, unfit},
    value::{Listen, Span},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Broker, greeting and outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Embedded unless an URL is given.
    pub broker: Broker,
    /// How long a greeting stays on the screen; its `expires_at`. 2 s..=60 s. Default 8 s.
    pub greeting: Duration,
    /// Whether the live face of the person welcomed is sent along. Default true.
    pub face: bool,
    /// How long an unacknowledged visit is kept before it is counted as expired. Default 72 h.
    pub keep: Duration,
}

/// The broker.
#[derive(Clone, Debug, PartialEq)]
pub enum Broker {
    /// In this process.
    Embedded {
        /// MQTT over TCP. Default 127.0.0.1:1883.
        listen: SocketAddr,
        /// MQTT over WebSocket. Default 127.0.0.1:8083.
        websocket: SocketAddr,
    },
    /// Somewhere else: `mqtt://HOST:PORT` or `mqtts://HOST:PORT`.
    External {
        /// Host name or address.
        host: String,
        /// Port; 1883, or 8883 with TLS.
        port: u16,
        /// TLS where the URL says `mqtts`.
        tls: Option<Tls>,
        /// User and password.
        login: Option<Login>,
        /// Where browsers reach it: `ws://…` or `wss://…`.
        websocket: Option<String>,
    },
}

/// Certificates for an external broker.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Authorities to trust (PEM) instead of the system's.
    #[garde(skip)]
    pub ca: Option<PathBuf>,
    /// Client certificate (PEM).
    #[garde(skip)]
    pub certificate: Option<PathBuf>,
    /// Its key (PEM, 0600).
    #[garde(skip)]
    pub key: Option<PathBuf>,
}

/// Which broker, as written: `embedded`, `mqtt://…` or `mqtts://…`.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerUrl(String);

textual!(BrokerUrl, "broker", "mqtts://broker.example:8883");

impl BrokerUrl {
    /// Host, port and whether it is TLS; `None` for the embedded one.
    fn parts(&self) -> Option<(&str, u16, bool)> {
        let (scheme, rest) = self.0.split_once("://")?;
        let tls = scheme == "mqtts";
        let (host, port) = host_and_port(rest.trim_end_matches('/'), "").ok()?;
        Some((host, port.unwrap_or(if tls { 8883 } else { 1883 }), tls))
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Textual for BrokerUrl {
    fn read(text: &str) -> Result<Self, Unfit> {
        const KINDS: &str = "write `embedded`, `mqtt://HOST:1883` or `mqtts://HOST:8883`";
        if text == "embedded" {
            return Ok(Self(text.to_owned()));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return unfit(format!("`{text}` is no broker"), KINDS);
        };
        refuse_credentials(text)?;
        match scheme {
            "mqtt" | "mqtts" => {}
            "ws" | "wss" => {
                let mend = "write `mqtt://…` or `mqtts://…` here; `websocket` is where browsers reach the broker";
                return unfit(format!("usher does not reach a broker by `{scheme}://`"), mend);
            }
            _ => return unfit(format!("`{scheme}://` is no kind of broker"), KINDS),
        }
        if let Some((_, path)) = rest.split_once('/').filter(|(_, path)| !path.is_empty()) {
            return unfit(format!("the broker's URL has a path `/{path}`"), "end the URL after the port");
        }
        host_and_port(rest.trim_end_matches('/'), "mqtts://broker.example:8883")?;
        Ok(Self(text.to_owned()))
    }
}

/// Where browsers reach the broker, as written: an address to listen on, or an URL.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocket(String);

textual!(WebSocket, "websocket", "127.0.0.1:8083");

impl fmt::Display for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Textual for WebSocket {
    fn read(text: &str) -> Result<Self, Unfit> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Listen::read(text).map(|_| Self(text.to_owned()));
        };
        refuse_credentials(text)?;
        if !matches!(scheme, "ws" | "wss") {
            let mend = "write `ws://HOST:PORT/mqtt` or `wss://HOST:PORT/mqtt`";
            return unfit(format!("`{scheme}://` is no WebSocket"), mend);
        }
        host_and_port(rest.split('/').next().unwrap_or_default(), "wss://broker.example:8884/mqtt")?;
        Ok(Self(text.to_owned()))
    }
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The broker: `embedded`, an URL (`mqtt://…`, `mqtts://…`), or the keys below.
    #[garde(dive)]
    pub broker: WrittenBroker,
    /// How long a greeting stays on the screen.
    #[garde(skip)]
    #[schemars(extend("x-least" = "2 s", "x-most" = "60 s"))]
    pub greeting: Span,
    /// Whether the live face of the person welcomed is sent to the screen.
    #[garde(skip)]
    pub face: bool,
    /// How long a visit that no broker has acknowledged is kept before it is counted as expired.
    #[garde(skip)]
    #[schemars(extend("x-least" = "1 min", "x-most" = "30 d"))]
    pub keep: Span,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            broker: WrittenBroker::Url(BrokerUrl("embedded".to_owned())),
            greeting: Span(Duration::from_secs(8)),
            face: true,
            keep: Span(Duration::from_secs(72 * 3600)),
        }
    }
}

/// The broker, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(untagged)]
pub enum WrittenBroker {
    /// `embedded`, `mqtt://HOST:PORT` or `mqtts://HOST:PORT`
    Url(#[garde(skip)] BrokerUrl),
    /// keys and values (`url`, `websocket`, …)
    Full(#[garde(dive)] Box<FullBroker>),
}

/// The broker with all its keys, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FullBroker {
    /// `embedded`, `mqtt://HOST:PORT` or `mqtts://HOST:PORT`.
    #[garde(skip)]
    pub url: BrokerUrl,
    /// Where the embedded broker listens for MQTT over TCP; 127.0.0.1:1883 unless given.
    #[garde(skip)]
    pub listen: Option<Listen>,
    /// Where browsers reach the broker: of the embedded one the address to listen on, 127.0.0.1:8083 unless given; of any
    /// other its `ws://…` or `wss://…` URL.
    #[garde(skip)]
    pub websocket: Option<WebSocket>,
    /// User and password at an external broker.
    #[garde(dive)]
    pub login: Option<WrittenLogin>,
    /// Certificates for `mqtts://…`; without them, the system's authorities are trusted.
    #[garde(dive)]
    pub tls: Option<Tls>,
}

impl Default for FullBroker {
    fn default() -> Self {
        Self { url: BrokerUrl("embedded".to_owned()), listen: None, websocket: None, login: None, tls: None }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Publish {
        let broker = match &self.broker {
            WrittenBroker::Url(url) => FullBroker { url: url.clone(), ..FullBroker::default() }.meant(folder),
            WrittenBroker::Full(full) => full.meant(folder),
        };
        Publish { broker, greeting: self.greeting.0, face: self.face, keep: self.keep.0 }
    }
}

impl FullBroker {
    fn meant(&self, folder: &Path) -> Broker {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let Some((host, port, tls)) = self.url.parts() else {
            let websocket = self.websocket.as_ref().and_then(|text| text.0.parse().ok());
            return Broker::Embedded {
                listen: self.listen.map_or(local(1883), |listen| listen.0),
                websocket: websocket.unwrap_or(local(8083)),
            };
        };
        let file = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        let files = self.tls.clone().unwrap_or_default();
        Broker::External {
            host: host.to_owned(),
            port,
            tls: tls.then(|| Tls { ca: file(&files.ca), certificate: file(&files.certificate), key: file(&files.key) }),
            login: self.login.as_ref().and_then(|login| login.meant(folder)),
            websocket: self.websocket.as_ref().map(|url| url.0.clone()),
        }
    }
}

/// What must hold between the broker's values, and that no two servers want one port.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    let root = checks.root;
    let broker = root.get("publish").and_then(|publish| publish.get("broker"));
    let url = broker.and_then(|broker| broker.text().or_else(|| broker.get("url")?.text())).unwrap_or("embedded");
    let embedded = url == "embedded";
    let at = |key: &str| format!("publish.broker.{key}");
    for key in ["login", "tls"].into_iter().filter(|_| embedded) {
        if let Some(entry) = broker.and_then(|broker| broker.entry(key)).filter(|entry| broker_has(entry)) {
            let message = format!("`{key}` is for an external broker, and this one is embedded");
            let mend = format!("remove `{key}`, or write `url: mqtts://HOST:8883`");
            checks.find(entry.key_span.clone(), at(key), message, mend);
        }
    }
    if let Some(entry) = broker.and_then(|broker| broker.entry("listen")).filter(|entry| !embedded && broker_has(entry))
    {
        let mend = "remove it: an external broker listens where its own configuration says";
        checks.find(entry.key_span.clone(), at("listen"), "`listen` is for the embedded broker", mend);
    }
    if let Some((node, text)) =
        broker.and_then(|broker| broker.get("websocket")).and_then(|node| Some((node, node.text()?)))
    {
        if embedded && text.contains("://") {
            let mend = "write an address to listen on, such as `127.0.0.1:8083`";
            checks.find(node.span.clone(), at("websocket"), "the embedded broker cannot listen on an URL", mend);
        } else if !embedded && !text.contains("://") {
            let mend = "write the URL by which browsers reach it, such as `wss://broker.example:8884/mqtt`";
            checks.find(node.span.clone(), at("websocket"), format!("`{text}` is no URL of an external broker"), mend);
        }
    }
    if let Some(entry) = broker.and_then(|broker| broker.entry("login")).filter(|_| !embedded) {
        check_login(checks, entry, &at("login"), folder);
    }
    check_tls(checks, url, folder);
    check_ports(checks, embedded);
}

fn broker_has(entry: &Entry) -> bool {
    !matches!(entry.value.kind, Kind::Null)
}

fn check_tls(checks: &mut Checks<'_>, url: &str, folder: &Path) {
    let Some(tls) = checks.root.get("publish").and_then(|publish| publish.get("broker")?.entry("tls")) else { return };
    let path = |key: &str| format!("publish.broker.tls.{key}");
    if url.starts_with("mqtt://") && broker_has(tls) {
        let mend = "write `mqtts://…` to use them, or remove `tls`";
        checks.find(
            tls.key_span.clone(),
            "publish.broker.tls",
            "certificates are given, but `mqtt://` has no TLS",
            mend,
        );
    }
    for (one, other) in [("certificate", "key"), ("key", "certificate")] {
        if let (Some(_), None, Some(entry)) = (tls.value.get(one), tls.value.get(other), tls.value.entry(one)) {
            let message = format!("`{one}` is given without `{other}`");
            checks.find(entry.key_span.clone(), path(one), message, format!("add `{other}: PATH`, or remove `{one}`"));
        }
    }
    for key in ["ca", "certificate", "key"] {
        if let Some(node) = tls.value.get(key) {
            check_file(checks, node, path(key), folder);
        }
    }
}

/// The embedded broker's two ports and that of the pages must differ; port 0 takes any free one.
fn check_ports(checks: &mut Checks<'_>, embedded: bool) {
    let root = checks.root;
    let broker = root.get("publish").and_then(|publish| publish.get("broker"));
    let web = root.get("web");
    let enrol = web.and_then(|web| web.get("enrol"));
    let mut taken: Vec<(u16, &str, Option<&Node>)> = Vec::new();
    let all = [
        ("publish.broker.listen", broker.and_then(|broker| broker.get("listen")), 1883, embedded),
        ("publish.broker.websocket", broker.and_then(|broker| broker.get("websocket")), 8083, embedded),
        ("web.listen", web.and_then(|web| web.get("listen")), 8080, true),
        ("web.enrol.listen", enrol.and_then(|enrol| enrol.get("listen")), 8443, enrol.is_some()),
    ];
    for (key, node, default, used) in all {
        let port = match node {
            Some(node) => node.text().and_then(|text| text.parse::<SocketAddr>().ok()).map(|address| address.port()),
            None => Some(default),
        };
        let Some(port) = port.filter(|port| used && *port != 0) else { continue };
        if let Some((_, first, first_node)) = taken.iter().find(|(other, ..)| *other == port) {
            // At least one of the two is written down: the defaults differ.
            let span = node.or(*first_node).map_or(0..0, |node| node.span.clone());
            let message = format!("`{key}` wants port {port}, which `{first}` has already");
            checks.find(span, key, message, "give each its own port, such as 1883, 8083 and 8080");
        }
        taken.push((port, key, node));
    }
}
