//! The venue's own files: the screens' theme and their playlist.
//!
//! Files of two folders that the configuration names, sent as they are, in parts where a film's player asks so. What is in the
//! playlist is looked up at every question, so that a film is added by putting it there.

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::Response,
};
use serde::Serialize;
use std::{fs, path::Path};
use tower_http::services::ServeDir;
use usher_config::signage::Signage;

/// Most films and pictures that are told.
const MOST: usize = 200;

/// Where the files are found.
const THEME: &str = "/venue/theme";
const PLAYLIST: &str = "/venue/playlist";

/// One film or picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Piece {
    url: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Film,
    Picture,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "mp4" | "webm" => Some(Self::Film),
            "jpg" | "jpeg" | "png" | "webp" | "svg" => Some(Self::Picture),
            _ => None,
        }
    }
}

/// Adds the folders to what is served.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(router: Router<S>, signage: &Signage) -> Router<S> {
    let folders = [(THEME, &signage.theme), (PLAYLIST, &signage.playlist)];
    folders.into_iter().fold(router, |router, (at, folder)| match folder {
        Some(folder) => {
            let files = ServeDir::new(folder).append_index_html_on_directories(false);
            let kept = Router::new().fallback_service(files).layer(middleware::map_response(asked_about));
            router.nest_service(at, kept)
        }
        None => router,
    })
}

/// Asked about at every use, sent only when changed: a film is large, and may be replaced under its name.
async fn asked_about(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Where the theme's stylesheet is, if there is one.
pub(super) fn theme(signage: &Signage) -> Option<String> {
    let folder = signage.theme.as_ref()?;
    folder.join("theme.css").is_file().then(|| format!("{THEME}/theme.css"))
}

/// The films and pictures that are there now, by name. A folder that cannot be read has none.
pub(super) fn playlist(signage: &Signage) -> Vec<Piece> {
    signage.playlist.as_deref().map(pieces).unwrap_or_default()
}

fn pieces(folder: &Path) -> Vec<Piece> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    let piece = |name: String| Some(Piece { kind: Kind::of(&name)?, url: format!("{PLAYLIST}/{}", escaped(&name)) });
    names.into_iter().filter_map(piece).take(MOST).collect()
}

/// A file's name as it stands in an address (RFC 3986).
fn escaped(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playlist_is_what_can_be_shown_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.MP4", "a 1.jpg", "notes.txt", ".hidden.png", "ü.webm"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let told = serde_json::to_value(pieces(folder.path())).unwrap();
        assert_eq!(
            told,
            serde_json::json!([
                { "url": "/venue/playlist/a%201.jpg", "kind": "picture" },
                { "url": "/venue/playlist/b.MP4", "kind": "film" },
                { "url": "/venue/playlist/%C3%BC.webm", "kind": "film" },
            ])
        );
        assert!(pieces(&folder.path().join("nowhere")).is_empty());
    }
}
