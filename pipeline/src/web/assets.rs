//! The pages' files, inside the binary.

use axum::{
    body::Body,
    extract::{Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Files;

/// A file under `/assets/`.
pub(super) async fn asset(Path(name): Path<String>, request: Request) -> Response {
    file(&name, request.headers())
}

/// One file by its name in the build folder, or 404.
pub(super) fn file(name: &str, asked: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = tag(&file);
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    // Asked about at every load, sent only when changed: a new binary is a new page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// A short hash of every file: a page that runs for weeks loads itself anew when it changes.
pub(super) fn version() -> String {
    let mut all = Sha256::new();
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            all.update(file.metadata.sha256_hash());
        }
    }
    all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn tag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_inside_and_nothing_outside_is_reached() {
        for name in [
            "index.html",
            "signage.html",
            "operator.html",
            "signage.js",
            "signage-worker.js",
            "day.html",
            "day.js",
            "operator.js",
            "flow.html",
            "flow.js",
            "enrol.html",
            "enrol.js",
            "pass.html",
            "pass.js",
            "staff.html",
            "staff.js",
        ] {
            assert_eq!(file(name, &HeaderMap::new()).status(), StatusCode::OK, "{name}");
        }
        for name in ["../package.json", "/etc/passwd", "", "dist"] {
            assert_eq!(file(name, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    #[test]
    fn an_unchanged_page_is_not_sent_again() {
        let first = file("signage.html", &HeaderMap::new());
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(file("signage.html", &asked).status(), StatusCode::NOT_MODIFIED);
    }
}
