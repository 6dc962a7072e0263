//! What goes on for as long as somebody looks: events and live pictures.

use crate::web::{
    Shared,
    live::{Jpeg, Watcher},
    routes::Asker,
    state::{State as Told, Told as Stamped},
};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use usher_config::value::Name;

/// How often health and pace are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The state is told at least this often: by it the page knows that the box is still there, and its time.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest wait for one picture.
const PATIENCE: Duration = Duration::from_secs(3);
const BOUNDARY: &str = "usher-picture";

/// The state as JSON, off the runtime's thread since names are unsealed for it.
pub(super) async fn told(shared: &Arc<Shared>, signed_in: bool) -> Option<Told> {
    let shared = Arc::clone(shared);
    tokio::task::spawn_blocking(move || Told::of(&shared, signed_in)).await.ok()
}

/// The state with the box's time.
pub(super) fn stamped(shared: &Shared, state: &Told) -> String {
    let told = Stamped { time: shared.written(shared.clock.now().wall), state };
    serde_json::to_string(&told).expect("the state is plain data")
}

/// `/api/events`: the state whenever it changes.
pub(super) async fn events(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some(permit) = permit(&shared) else { return busy() };
    // Two places: one being written, one that says what is newest.
    let (sender, receiver) = mpsc::channel::<Result<Event, Infallible>>(2);
    let asker = Asker::of(&headers);
    tokio::spawn(async move {
        let _permit = permit;
        let mut changes = shared.board.changes();
        let (mut last, mut sent) = (None, None);
        loop {
            let signed_in = asker.is_signed_in(&shared);
            let Some(state) = told(&shared, signed_in).await else { return };
            let now = shared.clock.now();
            let silent = sent.is_none_or(|sent| now.since(sent) >= SILENCE);
            if silent || last.as_ref() != Some(&state) {
                if sender.send(Ok(Event::default().data(stamped(&shared, &state)))).await.is_err() {
                    return;
                }
                (last, sent) = (Some(state), Some(now));
            }
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    });
    Sse::new(ReceiverStream::new(receiver)).into_response()
}

/// `/cameras/NAME.mjpeg`: pictures for as long as the browser looks; `/cameras/NAME.jpg`: the next one.
pub(super) async fn camera(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let asker = Asker::of(&headers);
    if !asker.may_see_pictures(&shared) {
        return (StatusCode::UNAUTHORIZED, "sign in on the operator's page to see pictures").into_response();
    }
    let Some((name, kind)) = file.rsplit_once('.') else { return StatusCode::NOT_FOUND.into_response() };
    let Some(watcher) = Name::new(name).and_then(|name| shared.live.watch(&name)) else {
        return (StatusCode::NOT_FOUND, "no camera has this name").into_response();
    };
    let Some(permit) = permit(&shared) else { return busy() };
    match kind {
        "jpg" => one(watcher).await,
        "mjpeg" => moving(shared, asker, watcher, permit),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn one(mut watcher: Watcher) -> Response {
    match tokio::time::timeout(PATIENCE, next(&mut watcher.pictures)).await {
        Ok(Some(jpeg)) => ([(header::CONTENT_TYPE, "image/jpeg")], Body::from(jpeg)).into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the camera gives no picture now").into_response(),
    }
}

fn moving(shared: Arc<Shared>, asker: Asker, mut watcher: Watcher, permit: OwnedSemaphorePermit) -> Response {
    // One place: whoever reads slowly gets the newest picture, not all of them.
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    tokio::spawn(async move {
        let _permit = permit;
        loop {
            let jpeg = tokio::select! {
                () = sender.closed() => return,
                jpeg = next(&mut watcher.pictures) => jpeg,
            };
            let Some(jpeg) = jpeg else { return };
            if !asker.may_see_pictures(&shared) {
                return;
            }
            if sender.send(Ok(part(&jpeg))).await.is_err() {
                return;
            }
        }
    });
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

/// One part. The next boundary closes it at once, so that browsers show this picture now and not with the next.
fn part(jpeg: &Jpeg) -> Bytes {
    let head = format!("--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
    [head.as_bytes(), jpeg, b"\r\n"].concat().into()
}

async fn next(pictures: &mut watch::Receiver<Option<Jpeg>>) -> Option<Jpeg> {
    loop {
        pictures.changed().await.ok()?;
        if let Some(jpeg) = pictures.borrow_and_update().clone() {
            return Some(jpeg);
        }
    }
}

pub(super) fn permit(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    Arc::clone(&shared.streams).try_acquire_owned().ok()
}

fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open; close some").into_response()
}
