//! A tablet without a browser: the enrolment API over TLS, by the authority that the box made.
#![allow(dead_code, reason = "each user of this file needs a part of it")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

fn broken(answer: &str) -> io::Error {
    io::Error::other(format!("no whole answer: {answer}"))
}

/// A station that staff opened.
pub(crate) struct Tablet {
    at: SocketAddr,
    config: Arc<rustls::ClientConfig>,
    cookie: String,
}

impl Tablet {
    /// At the station `at`, opened with `token`.
    pub(crate) fn opened(at: SocketAddr, data: &Path, token: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("tls/ca.crt")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth());
        let mut tablet = Self { at, config, cookie: String::new() };
        let (head, _) = tablet.asked("POST", "/api/enrol/open", &json!({ "token": token, "staff": false })).unwrap();
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap())
        });
        cookie.unwrap_or_else(|| panic!("the station opens: {head}")).clone_into(&mut tablet.cookie);
        tablet
    }

    /// Status and body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.try_ask(method, path, body).unwrap()
    }

    /// The same, of a box that may be on its way down.
    fn try_ask(&self, method: &str, path: &str, body: &Value) -> io::Result<(u16, Value)> {
        let (head, body) = self.asked(method, path, body)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken(&head))?;
        Ok((status, serde_json::from_str(&body).unwrap_or_default()))
    }

    fn asked(&self, method: &str, path: &str, body: &Value) -> io::Result<(String, String)> {
        let mut tls = rustls::ClientConnection::new(self.config.clone(), "localhost".try_into().unwrap()).unwrap();
        let mut stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(Duration::from_secs(40)))?;
        let mut stream = rustls::Stream::new(&mut tls, &mut stream);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        // Some end without saying so.
        let _all_of_it = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).map_err(io::Error::other)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| broken(&answer))?;
        Ok((head.to_owned(), body.to_owned()))
    }

    /// Somebody without a face agrees, whose name is `name`; status and answer.
    pub(crate) fn enrol(&self, name: &str) -> (u16, Value) {
        self.try_enrol(name).unwrap()
    }

    /// The same, of a box that may be on its way down; an error where it did not answer.
    pub(crate) fn try_enrol(&self, name: &str) -> io::Result<(u16, Value)> {
        let (status, form) = self.try_ask("GET", "/api/enrol", &Value::Null)?;
        let notice = form["notice"]["pass_texts"]["en"]["sha256"].as_str();
        let notice = notice.ok_or_else(|| io::Error::other(format!("no notice: {status} {form}")))?;
        let sport = form["sports"][0].as_str().unwrap_or("Judo");
        let asked = json!({
            "views": [], "source": "camera", "name": name, "sports": [sport], "language": "en", "food": [],
            "arrival": null, "step_free": false, "custody": "visitor",
            "consent": { "notice": notice, "language": "en", "agreed": true, "minor": false, "guardian": null },
        });
        self.try_ask("POST", "/api/enrol", &asked)
    }

    /// What is kept of whoever has a pass.
    pub(crate) fn shows(&self, secret: &str) -> (u16, Value) {
        self.ask("POST", "/api/pass", &json!({ "secret": secret }))
    }

    /// Whoever has a pass wants to be forgotten.
    pub(crate) fn forget(&self, secret: &str) -> (u16, Value) {
        self.ask("POST", "/api/pass/forget", &json!({ "secret": secret }))
    }
}
