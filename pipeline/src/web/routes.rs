//! Which address gives what.

use crate::web::{
    Shared, assets, coach, flow, guard,
    session::{COOKIE, Refused, cookie_of},
    status,
    streams::{self, stamped, told},
    venue, why,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::{net::SocketAddr, sync::Arc};

/// Largest body taken in, in bytes: a token.
const BODY: usize = 4096;

/// All routes.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let page = |name: &'static str| get(move |headers: HeaderMap| async move { assets::file(name, &headers) });
    let router = Router::new()
        .route("/", page("index.html"))
        .route("/signage", page("signage.html"))
        // At the root: a worker keeps pages below its own address only.
        .route("/signage-worker.js", page("signage-worker.js"))
        .route("/operator", page("operator.html"))
        .route("/flow", page("flow.html"))
        .route("/assets/{*file}", get(assets::asset))
        .route("/api/signage", get(signage))
        .route("/api/map", get(map))
        .route("/api/state", get(state))
        .route("/api/coach", get(coach::coach))
        .route("/api/coach/{camera}", post(coach::begin_anew))
        .route("/api/events", get(streams::events))
        .route("/api/why/{number}", get(why::record))
        .route("/api/why/{number}/portrait.jpg", get(why::portrait))
        .route("/api/sign-in", post(sign_in))
        .route("/api/sign-out", post(sign_out))
        .route("/cameras/{file}", get(streams::camera))
        .route("/metrics", get(status::metrics))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz));
    venue::routes(flow::routes(router), &shared.settings().signage)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), guard::guard))
        .with_state(Arc::clone(shared))
}

/// Who asks, as far as the cookie tells.
pub(super) struct Asker {
    cookie: Option<String>,
}

impl Asker {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self { cookie: cookie_of(headers, COOKIE) }
    }

    pub(super) fn is_signed_in(&self, shared: &Shared) -> bool {
        self.cookie.as_ref().is_some_and(|cookie| shared.sessions.holds(cookie, shared.clock.now()))
    }

    /// On a loopback address whoever sits at the machine; elsewhere who has signed in.
    pub(super) fn may_see_pictures(&self, shared: &Shared) -> bool {
        shared.settings().listen.ip().is_loopback() || self.is_signed_in(shared)
    }
}

/// `/api/signage`: where the page hears of greetings, and the box's time.
async fn signage(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Json<serde_json::Value> {
    let settings = shared.settings();
    let websocket = guard::host(&headers).and_then(|host| guard::websocket(&settings.websocket, host));
    let login = settings
        .screen
        .as_ref()
        .map(|login| serde_json::json!({ "user": login.user, "password": login.password.reveal() }));
    Json(serde_json::json!({
        "time": shared.written(shared.clock.now().wall),
        "version": assets::version(),
        "site": settings.site,
        "gates": settings.gates,
        "websocket": websocket,
        "login": login,
        "keys": settings.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "language": settings.signage.language,
        "night": settings.signage.night.map(|night| {
            let at = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
            serde_json::json!({ "from": at(night.from), "to": at(night.to) })
        }),
        "theme": venue::theme(&settings.signage),
        "playlist": venue::playlist(&settings.signage),
        "picture_ms": settings.signage.slide.as_millis() as u64,
        "pass_gates": settings.pass_gates,
        "alive": settings.alive,
    }))
}

/// `/api/map`: what screens draw the site from.
async fn map(State(shared): State<Arc<Shared>>) -> Response {
    match (shared.settings().map)() {
        Some(map) => Json(map).into_response(),
        None => (StatusCode::NOT_FOUND, "this site has no map; see `guide.places`").into_response(),
    }
}

/// `/api/state`: everything the operator's page shows, once.
async fn state(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let signed_in = Asker::of(&headers).is_signed_in(&shared);
    match told(&shared, signed_in).await {
        Some(state) => ([(header::CONTENT_TYPE, "application/json")], stamped(&shared, &state)).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[derive(serde::Deserialize)]
struct SignIn {
    token: String,
}

/// `POST /api/sign-in`: a session for the token.
async fn sign_in(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(asked): Json<SignIn>,
) -> Response {
    match shared.sessions.open(asked.token.trim(), from.ip(), shared.clock.now()) {
        Ok(cookie) => {
            let cookie = format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict");
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        Err(Refused::Wrong) => {
            (StatusCode::UNAUTHORIZED, "not the token; it was printed when usher started").into_response()
        }
        Err(Refused::Wait(time)) => {
            let seconds = time.as_secs();
            let why = format!("too many wrong tokens; try again in {seconds} s");
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], why).into_response()
        }
    }
}

/// `POST /api/sign-out`: ends the session.
async fn sign_out(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Some(cookie) = Asker::of(&headers).cookie {
        shared.sessions.close(&cookie);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}
