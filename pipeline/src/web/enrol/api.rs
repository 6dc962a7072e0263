//! The enrolment API: requests to what the desk is asked, answers to JSON.

use crate::{
    gallery::{
        file::StoreError,
        notice::{LANGUAGES, Offer},
        pass::PassSecret,
        symbol,
        visitor::{Custody, FOOD},
    },
    guide::{concierge, retention},
    web::{
        assets,
        enrol::{
            Shared,
            answers::{Enrol, Enrolled, Forget, Forgotten, Form, Kept, NoticeShown, Open, PassMade, Secret, Source},
            day,
            limits::What,
            openapi,
            refusal::{No, busy, no, store_failed, too_often},
            wish::{VIEWS, refused, views, wish},
        },
        guard,
        session::{self, Sessions},
        state::written,
    },
};
use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};
use zeroize::{Zeroize as _, Zeroizing};

/// Largest picture of a look, bytes.
const LOOK: usize = 512 << 10;
/// Largest enrolment from the station's camera: three views of some 300 KB in base64, and words.
const CAMERA: usize = 6 << 20;
/// Largest enrolment by staff: three pictures of 20 MiB in base64, and words.
const UPLOAD: usize = 84 << 20;
/// Largest other body.
pub(super) const SMALL: usize = 4096;

/// How long a body may take: what a tablet needs for a few megabytes over a bad network.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// Cookies of a station that staff opened, and of staff. The prefix makes browsers keep them to this host and to TLS.
const STATION: &str = "__Host-usher_station";
const STAFF: &str = "__Host-usher_staff";

/// All routes.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let page = |name: &'static str| get(move |headers: HeaderMap| async move { assets::file(name, &headers) });
    Router::new()
        .route("/", page("enrol.html"))
        .route("/enrol", page("enrol.html"))
        .route("/staff", page("staff.html"))
        .route("/pass", page("pass.html"))
        .route(symbol::PAGE, page("pass.html"))
        .route("/day", page("day.html"))
        .route(concierge::PAGE, page("day.html"))
        .route("/assets/{*file}", get(assets::asset))
        .route("/api/enrol", get(form).post(enrol))
        .route("/api/enrol/open", post(open))
        .route("/api/enrol/look", post(look))
        .route("/api/pass", post(pass))
        .route("/api/pass/forget", post(forget_by_pass))
        .route("/api/pass/day", post(day::by_pass))
        .route("/api/pass/calendar", post(day::calendar_by_pass))
        .route("/api/day", post(day::by_key))
        .route("/api/day/calendar", post(day::calendar_by_key))
        .route("/api/nearby", post(day::nearby))
        .route("/api/map", get(day::map))
        .route("/api/staff/visitors", get(list))
        .route("/api/staff/forget", post(forget))
        .route("/api/staff/sign-out", post(sign_out))
        .route("/api/openapi.json", get(|| async { Json(openapi::document()) }))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(guarded))
        .with_state(Arc::clone(shared))
}

/// Lets through only what comes from our own pages, and keeps browsers from doing anything but these.
async fn guarded(request: Request, next: Next) -> Response {
    let Some(host) = guard::host(request.headers()).map(str::to_owned) else {
        return (StatusCode::BAD_REQUEST, "the request names no host").into_response();
    };
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if !reads && !guard::same_origin(request.headers(), &host) {
        return (StatusCode::FORBIDDEN, "the request comes from another page").into_response();
    }
    let powers = powers(request.uri().path());
    let mut response = next.run(request).await;
    guard::harden(response.headers_mut());
    let headers = response.headers_mut();
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                          img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; \
                          form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("permissions-policy", HeaderValue::from_static(powers));
    response
}

/// What a page may ask a browser for: the tablet its camera, a visitor's own page where they are, when they say so.
fn powers(path: &str) -> &'static str {
    match path {
        concierge::PAGE | symbol::PAGE | "/day" | "/pass" => "camera=(), microphone=(), geolocation=(self)",
        _ => "camera=(self), microphone=(), geolocation=()",
    }
}

/// A body of at most `most` bytes that does not take for ever.
async fn taken(body: Body, most: usize) -> Result<Bytes, No> {
    let large = |_| no(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &format!("a body may have {most} bytes here"));
    let slow = |_| no(StatusCode::REQUEST_TIMEOUT, "too_slow", &"the body did not come in time; try again");
    tokio::time::timeout(BODY_WITHIN, to_bytes(body, most)).await.map_err(slow)?.map_err(large)
}

/// A JSON body of at most `most` bytes.
pub(super) async fn read<T: DeserializeOwned>(body: Body, most: usize) -> Result<T, No> {
    let bytes = taken(body, most).await?;
    serde_json::from_slice(&bytes).map_err(|error| no(StatusCode::BAD_REQUEST, "body", &error))
}

fn is_open(sessions: &Sessions, cookie: &str, headers: &HeaderMap, shared: &Shared) -> bool {
    session::cookie_of(headers, cookie).is_some_and(|cookie| sessions.holds(&cookie, shared.clock.now()))
}

fn is_staff(shared: &Shared, headers: &HeaderMap) -> bool {
    is_open(&shared.staff, STAFF, headers, shared)
}

/// `GET /api/enrol`: what the page needs to begin.
async fn form(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Json<Form>, No> {
    shared.limits.admit(What::Look, from.ip()).map_err(too_often)?;
    let now = shared.now();
    let until = to_the_minute(retention::end(&shared.config, now));
    let custody = shared.custody();
    let (by_box, by_visitor) = (custody.contains(&Custody::Box), custody.contains(&Custody::Visitor));
    let notices = &shared.notices;
    let notice = NoticeShown {
        version: notices.notice.version(),
        controller: notices.notice.controller().to_owned(),
        contact: notices.notice.contact().to_owned(),
        expires_at: written(until),
        texts: notices.show(Offer { face: true, crops: false, by_box, by_visitor }, until, now),
        pass_texts: notices.show(Offer { face: false, crops: false, by_box: false, by_visitor: true }, until, now),
    };
    let staff = is_staff(&shared, &headers);
    Ok(Json(Form {
        open: staff || is_open(&shared.stations, STATION, &headers, &shared),
        staff,
        site: shared.config.site.to_string(),
        languages: LANGUAGES
            .into_iter()
            .filter(|language| notice.texts.contains_key(*language))
            .map(str::to_owned)
            .collect(),
        sports: shared.sports(),
        food: FOOD.map(str::to_owned).to_vec(),
        custody: custody.to_vec(),
        notice,
        guardian_age: shared.config.gallery.notice.guardian_age,
        views: VIEWS,
        time: written(now),
    }))
}

/// As the notice tells it: nobody is kept for a second longer than they read.
fn to_the_minute(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since - since % 60)
}

/// `POST /api/enrol/open`: staff open a station, or sign in themselves.
async fn open(State(shared): State<Arc<Shared>>, ConnectInfo(from): ConnectInfo<SocketAddr>, body: Body) -> Response {
    let asked: Open = match read(body, SMALL).await {
        Ok(asked) => asked,
        Err(no) => return no.into_response(),
    };
    let (sessions, cookie) = if asked.staff { (&shared.staff, STAFF) } else { (&shared.stations, STATION) };
    match sessions.open(asked.token.trim(), from.ip(), shared.clock.now()) {
        Ok(value) => {
            let cookie = format!("{cookie}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        Err(session::Refused::Wrong) => {
            no(StatusCode::UNAUTHORIZED, "token", &"not a token of this box").into_response()
        }
        Err(session::Refused::Wait(time)) => {
            let seconds = time.as_secs().to_string();
            let refused = no(StatusCode::TOO_MANY_REQUESTS, "too_often", &"too many wrong tokens; wait a moment");
            let mut response = refused.into_response();
            if let Ok(seconds) = HeaderValue::from_str(&seconds) {
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            response
        }
    }
}

fn need_open(shared: &Shared, headers: &HeaderMap) -> Result<(), No> {
    let open = is_staff(shared, headers) || is_open(&shared.stations, STATION, headers, shared);
    open.then_some(()).ok_or_else(|| no(StatusCode::UNAUTHORIZED, "closed", &"staff must open this station first"))
}

fn need_staff(shared: &Shared, headers: &HeaderMap) -> Result<(), No> {
    is_staff(shared, headers).then_some(()).ok_or_else(|| no(StatusCode::UNAUTHORIZED, "staff", &"this is for staff"))
}

/// `POST /api/enrol/look`: one picture of the camera while somebody frames their face.
async fn look(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, No> {
    need_open(&shared, &headers)?;
    shared.limits.admit(What::Look, from.ip()).map_err(too_often)?;
    let picture = taken(body, LOOK).await?;
    match shared.desk.look(picture.into()).await.map_err(busy)? {
        Ok(look) => Ok(Json(look).into_response()),
        Err(error) => Err(no(StatusCode::UNPROCESSABLE_ENTITY, "picture", &error)),
    }
}

/// `POST /api/enrol`: somebody agreed.
async fn enrol(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, No> {
    need_open(&shared, &headers)?;
    shared.limits.admit(What::Enrol, from.ip()).map_err(too_often)?;
    let staff = is_staff(&shared, &headers);
    let mut asked: Enrol = read(body, if staff { UPLOAD } else { CAMERA }).await?;
    if asked.source == Source::Upload && !staff {
        return Err(no(StatusCode::FORBIDDEN, "staff", &"pictures from files are for staff"));
    }
    let wish = wish(&shared, &asked)?;
    let expires = wish.expires;
    let face = !asked.views.is_empty();
    let views = views(&mut asked)?;
    let issued = match shared.desk.enrol(wish, views).await.map_err(busy)? {
        Ok(issued) => issued,
        Err(refusal) => return Err(refused(refusal)),
    };
    let (link, svg) = symbol_of(&shared, &headers, &issued.pass)?;
    let pass = PassMade { svg, link: link.to_string(), code: issued.pass.reveal().to_string() };
    let answer = Enrolled { pass, receipt: issued.receipt, expires_at: written(expires), face };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn symbol_of(shared: &Shared, headers: &HeaderMap, pass: &PassSecret) -> Result<(Zeroizing<String>, String), No> {
    let configured = shared.config.web.enrol.as_ref().and_then(|enrol| enrol.address.clone());
    let address =
        configured.unwrap_or_else(|| format!("https://{}", guard::host(headers).unwrap_or("usher.local:8443")));
    let link = symbol::link(&address, pass);
    let svg = symbol::svg(&link).map_err(|error| no(StatusCode::INTERNAL_SERVER_ERROR, "symbol", &error))?;
    Ok((link, svg))
}

pub(super) fn unknown() -> No {
    no(StatusCode::NOT_FOUND, "unknown", &"nobody is known by this pass; it may have ended")
}

pub(super) async fn secret(shared: &Shared, what: What, from: SocketAddr, body: Body) -> Result<PassSecret, No> {
    shared.limits.admit(what, from.ip()).map_err(too_often)?;
    let asked: Secret = read(body, SMALL).await?;
    pass_of(asked.secret)
}

/// The pass of some letters, which are wiped.
pub(super) fn pass_of(mut letters: String) -> Result<PassSecret, No> {
    let pass = PassSecret::of(&letters);
    letters.zeroize();
    pass.ok_or_else(unknown)
}

/// `POST /api/pass`: what is kept of whoever has this pass.
async fn pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Kept>, No> {
    let pass = secret(&shared, What::Pass, from, body).await?;
    let opened = shared.desk.open(pass.clone()).await.map_err(busy)?.map_err(store_failed)?.ok_or_else(unknown)?;
    let (link, svg) = symbol_of(&shared, &headers, &pass)?;
    let visitor = opened.person.visitor;
    let mut sports = vec![visitor.sport];
    sports.extend(visitor.wishes.sports);
    Ok(Json(Kept {
        name: visitor.name,
        sports,
        language: visitor.wishes.language,
        together: visitor.wishes.together,
        expires_at: written(visitor.expires),
        custody: visitor.custody,
        face: !opened.person.templates.is_empty(),
        receipt: opened.receipt,
        svg,
        link: link.to_string(),
    }))
}

/// `POST /api/pass/forget`: whoever has this pass wants to be forgotten.
async fn forget_by_pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Json<Forgotten>, No> {
    let pass = secret(&shared, What::Forget, from, body).await?;
    let receipt = shared.desk.forget_by(pass).await.map_err(busy)?.map_err(store_failed)?.ok_or_else(unknown)?;
    Ok(Json(Forgotten { receipt }))
}

/// `GET /api/staff/visitors`: who is enrolled, and who is like whom.
async fn list(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, No> {
    need_staff(&shared, &headers)?;
    shared.limits.admit(What::Staff, from.ip()).map_err(too_often)?;
    let listed = shared.desk.list().await.map_err(busy)?.map_err(store_failed)?;
    Ok(Json(listed).into_response())
}

/// `POST /api/staff/sign-out`: staff leave.
async fn sign_out(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Some(cookie) = session::cookie_of(&headers, STAFF) {
        shared.staff.close(&cookie);
    }
    let gone = format!("{STAFF}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

/// `POST /api/staff/forget`: staff forget somebody.
async fn forget(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Forgotten>, No> {
    need_staff(&shared, &headers)?;
    shared.limits.admit(What::Staff, from.ip()).map_err(too_often)?;
    let asked: Forget = read(body, SMALL).await?;
    match shared.desk.forget(asked.id).await.map_err(busy)? {
        Ok(receipt) => Ok(Json(Forgotten { receipt })),
        Err(StoreError::Nobody(_)) => Err(no(StatusCode::NOT_FOUND, "unknown", &"nobody has this id")),
        Err(error) => Err(store_failed(error)),
    }
}
