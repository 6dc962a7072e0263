//! Headers that keep browsers from doing anything but the page.

use crate::web::{Shared, Websocket};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// Where browsers reach the broker, given the host that the page was asked of.
pub(super) fn websocket(websocket: &Websocket, host: &str) -> Option<String> {
    match websocket {
        Websocket::Here(port) => Some(format!("ws://{}:{port}/mqtt", without_port(host))),
        Websocket::At(url) => Some(url.clone()),
        Websocket::Nowhere => None,
    }
}

/// The request's host as the browser wrote it.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    // It is repeated in a header and in JSON: nothing may end either early.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_');
    (!host.is_empty() && host.len() <= 255 && host.bytes().all(plain)).then_some(host)
}

/// Lets through only who asks for this machine by a name of its own, and only what comes from our own pages.
///
/// On a loopback address the host must be a loopback one: a web page elsewhere whose name is made to point at 127.0.0.1
/// (DNS rebinding) would otherwise read what is meant for who sits at the machine. Elsewhere, whatever is personal asks
/// for a session, and a browser's cookie belongs to the name it was made for.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(host) = host(request.headers()).map(str::to_owned) else {
        return (StatusCode::BAD_REQUEST, "the request names no host").into_response();
    };
    if shared.settings().listen.ip().is_loopback() && !is_loopback(&host) {
        let why = "these pages answer to localhost only; open them as http://localhost, or set `web.listen`";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD && !same_origin(request.headers(), &host) {
        return (StatusCode::FORBIDDEN, "the request comes from another page").into_response();
    }
    let policy = policy(websocket(&shared.settings().websocket, &host).as_deref());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), microphone=(), geolocation=()"));
    harden(headers);
    response
}

/// What holds for every answer of every server of ours.
pub(super) fn harden(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Scripts, styles, fonts, pictures, films and the worker of ours, the broker, and nothing else. The one policy of trusted types
/// lets the worker's address through.
fn policy(broker: Option<&str>) -> String {
    // A URL of the configuration is not to open the policy further than its origin.
    let broker = broker.filter(|url| !url.contains([';', ',', ' ', '\'', '"'])).unwrap_or_default();
    let origin = broker.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; \
         media-src 'self'; worker-src 'self'; connect-src 'self' {origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types usher-worker"
    )
}

fn without_port(host: &str) -> &str {
    match (host.rfind(']'), host.rfind(':')) {
        (Some(end), _) => &host[..=end],
        (None, Some(colon)) => &host[..colon],
        (None, None) => host,
    }
}

fn is_loopback(host: &str) -> bool {
    let name = without_port(host);
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()))
}

/// Programs other than browsers send no origin.
pub(super) fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    match headers.get(header::ORIGIN).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(origin)) => origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)),
        Some(Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.9.9.9", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.evil.example", "evil.example:8080", "10.0.0.1", "[fe80::1]:80", "127.0.0.1.evil.example"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_broker_is_looked_for_where_the_page_came_from() {
        let url = |host| websocket(&Websocket::Here(8083), host);
        assert_eq!(url("localhost:8080").as_deref(), Some("ws://localhost:8083/mqtt"));
        assert_eq!(url("[::1]:8080").as_deref(), Some("ws://[::1]:8083/mqtt"));
        assert_eq!(url("box.example").as_deref(), Some("ws://box.example:8083/mqtt"));
    }

    #[test]
    fn the_policy_names_the_brokers_origin_and_no_more() {
        assert!(
            policy(Some("wss://broker.example:9001/mqtt")).contains("connect-src 'self' wss://broker.example:9001;")
        );
        assert!(!policy(Some("ws://x; script-src *")).contains("script-src *"));
    }

    #[test]
    fn a_host_that_would_end_a_header_is_no_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("a; script-src *"));
        assert_eq!(host(&headers), None);
    }
}
