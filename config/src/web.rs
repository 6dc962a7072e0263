//! Section `web`: the pages.

use crate::{
    capture::host_and_port,
    document::{Checks, tree::Kind},
    login::check_file,
    text::{Textual, Unfit, textual, unfit},
    value::Listen,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Where the pages are served.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Default 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// What is kept of a decision, for whoever asks why.
    pub why: Why,
    /// The enrolment station and the visitors' own pages, over TLS; `None`: none are served.
    pub enrol: Option<Enrol>,
}

/// Where visitors enrol, and see and end what is kept of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrol {
    /// Address and port, TLS.
    pub listen: SocketAddr,
    /// How visitors' telephones reach it, `https://HOST[:PORT]`; stands in every pass. `None`: as the tablet does.
    pub address: Option<String>,
    /// The certificate and its key (PEM). `None`: the box makes its own at first start.
    pub certificate: Option<Certificate>,
}

/// A certificate of the site's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The chain (PEM).
    pub chain: PathBuf,
    /// Its key (PEM, 0600).
    pub key: PathBuf,
}

/// What is kept of a decision beside its figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Why {
    /// Whether the portrait of whoever was named is kept, in memory, for signed-in operators. Default false.
    pub pictures: bool,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Where the signage and operator pages are served.
    #[garde(skip)]
    pub listen: Listen,
    /// What the operator's page can show of a decision, beside its figures.
    #[garde(dive)]
    pub why: WrittenWhy,
    /// The enrolment station and the visitors' own pages, over TLS; without it there are none.
    #[garde(dive)]
    pub enrol: Option<WrittenEnrol>,
}

/// The keys of `enrol` as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenEnrol {
    /// Where they are served, over TLS.
    #[garde(skip)]
    pub listen: Listen,
    /// How visitors' telephones reach it: `https://HOST` or `https://HOST:PORT`; it stands in every pass, so the shorter, the
    /// better a camera reads it. Without it, the address that the tablet uses.
    #[garde(skip)]
    pub address: Option<HttpsAddress>,
    /// The site's own certificate (PEM); without it, the box makes one at first start.
    #[garde(skip)]
    pub certificate: Option<PathBuf>,
    /// The key of that certificate (PEM, 0600).
    #[garde(skip)]
    pub key: Option<PathBuf>,
}

impl Default for WrittenEnrol {
    fn default() -> Self {
        let listen = Listen(SocketAddr::from(([127, 0, 0, 1], 8443)));
        Self { listen, address: None, certificate: None, key: None }
    }
}

/// `https://HOST` or `https://HOST:PORT`.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpsAddress(String);

textual!(HttpsAddress, "https", "https://gate.north-park.example");

impl fmt::Display for HttpsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Textual for HttpsAddress {
    fn read(text: &str) -> Result<Self, Unfit> {
        const MEND: &str = "write `https://HOST` or `https://HOST:PORT`";
        let Some(rest) = text.strip_prefix("https://") else {
            return unfit(format!("`{text}` is no https address"), MEND);
        };
        let rest = rest.trim_end_matches('/');
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if rest.is_empty() || !rest.bytes().all(is_plain) {
            return unfit(format!("`{text}` is more than a host and a port"), MEND);
        }
        host_and_port(rest, "https://gate.north-park.example")?;
        Ok(Self(format!("https://{rest}")))
    }
}

/// The keys of `why` as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenWhy {
    /// Whether the small live picture of whoever was named is kept with the reasons: in memory only, of nobody else, shown to signed-in
    /// operators only.
    #[garde(skip)]
    pub pictures: bool,
}

impl Default for Written {
    fn default() -> Self {
        Self { listen: Listen(SocketAddr::from(([127, 0, 0, 1], 8080))), why: WrittenWhy::default(), enrol: None }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Web {
        let enrol = self.enrol.as_ref().map(|enrol| enrol.meant(folder));
        Web { listen: self.listen.0, why: Why { pictures: self.why.pictures }, enrol }
    }
}

impl WrittenEnrol {
    fn meant(&self, folder: &Path) -> Enrol {
        let own = self.certificate.as_ref().zip(self.key.as_ref());
        Enrol {
            listen: self.listen.0,
            address: self.address.as_ref().map(|address| address.0.clone()),
            certificate: own.map(|(chain, key)| Certificate { chain: folder.join(chain), key: folder.join(key) }),
        }
    }
}

/// A certificate has its key, both are there, and somebody answers for what visitors tell.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    let root = checks.root;
    let Some(enrol) = root.get("web").and_then(|web| web.entry("enrol")) else { return };
    if matches!(enrol.value.kind, Kind::Null) {
        return;
    }
    let path = |key: &str| format!("web.enrol.{key}");
    for (one, other) in [("certificate", "key"), ("key", "certificate")] {
        if let (Some(entry), None) = (enrol.value.entry(one), enrol.value.get(other)) {
            let message = format!("`{one}` is given without `{other}`");
            checks.find(entry.key_span.clone(), path(one), message, format!("add `{other}: PATH`, or remove `{one}`"));
        }
        if let Some(node) = enrol.value.get(one) {
            check_file(checks, node, path(one), folder);
        }
    }
    let notice = root.get("gallery").and_then(|gallery| gallery.get("notice"));
    for key in ["controller", "contact"] {
        if notice.and_then(|notice| notice.get(key)).is_none() {
            let message = format!("visitors enrol here, and `gallery.notice.{key}` does not say who answers for it");
            let mend = "add `gallery: { notice: { controller: NAME AND ADDRESS, contact: E-MAIL } }`";
            checks.find(enrol.key_span.clone(), format!("gallery.notice.{key}"), message, mend);
        }
    }
}
