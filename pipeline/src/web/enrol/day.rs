//! A visitor's day on their own telephone: behind the pass, or behind the key in a screen's QR code.
//!
//! The key opens the plan and nothing else; the pass opens what is kept, and the same plan. Neither answer holds a name or a face.

use crate::{
    gallery::{pass::PassSecret, visitor::Visitor},
    guide::{calendar, day::Day},
    web::{
        enrol::{
            Shared,
            answers::{DayShown, Key, Near, NearbyShown},
            api::{SMALL, pass_of, read, secret, unknown},
            limits::What,
            refusal::{No, busy, no, store_failed, too_often},
        },
        state::written,
    },
};
use axum::{
    Json,
    body::Body,
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use std::{net::SocketAddr, sync::Arc, time::SystemTime};
use usher_config::places::Position;

/// `POST /api/day`: the day of whoever was given this key on a screen.
pub(super) async fn by_key(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Json<DayShown>, No> {
    let (visitor, until) = owner(&shared, from, body).await?;
    shown(&shared, visitor, until).await
}

/// `POST /api/pass/day`: the day of whoever has this pass.
pub(super) async fn by_pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Json<DayShown>, No> {
    let visitor = holder(&shared, from, body).await?;
    let until = visitor.expires;
    shown(&shared, visitor, until).await
}

/// `POST /api/day/calendar`: the same as a calendar file.
pub(super) async fn calendar_by_key(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, No> {
    let (visitor, _) = owner(&shared, from, body).await?;
    calendar_of(&shared, visitor).await
}

/// `POST /api/pass/calendar`: the same as a calendar file.
pub(super) async fn calendar_by_pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, No> {
    let visitor = holder(&shared, from, body).await?;
    calendar_of(&shared, visitor).await
}

/// `POST /api/nearby`: what is near, for whoever has a key or a pass.
pub(super) async fn nearby(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Json<NearbyShown>, No> {
    shared.limits.admit(What::Day, from.ip()).map_err(too_often)?;
    let asked: Near = read(body, SMALL).await?;
    let visitor = match (asked.key, asked.secret) {
        (Some(key), None) => of_key(&shared, &key)?.0,
        (None, Some(secret)) => of_pass(&shared, pass_of(secret)?).await?,
        _ => {
            return Err(no(
                StatusCode::BAD_REQUEST,
                "body",
                &"send either the `key` of a screen or the `secret` of a pass",
            ));
        }
    };
    let here = asked.at.map(|[longitude, latitude]| Position { longitude, latitude });
    let here = here.filter(|at| at.longitude.abs() <= 180.0 && at.latitude.abs() <= 90.0);
    let (asked, now) = (shared.clone(), shared.now());
    let found = tokio::task::spawn_blocking(move || asked.guidance.concierge.nearby(&visitor, here, now));
    let (places, here) = found.await.unwrap_or_default();
    Ok(Json(NearbyShown { places, here }))
}

/// `GET /api/map`: what the site is drawn from.
pub(super) async fn map(State(shared): State<Arc<Shared>>) -> Result<Response, No> {
    match shared.guidance.concierge.map() {
        Some(map) => Ok(Json(map).into_response()),
        None => Err(no(StatusCode::NOT_FOUND, "unknown", &"this site has no map")),
    }
}

async fn owner(shared: &Shared, from: SocketAddr, body: Body) -> Result<(Visitor, SystemTime), No> {
    shared.limits.admit(What::Day, from.ip()).map_err(too_often)?;
    let asked: Key = read(body, SMALL).await?;
    of_key(shared, &asked.key)
}

fn of_key(shared: &Shared, key: &str) -> Result<(Visitor, SystemTime), No> {
    let (visitor, until) = shared.guidance.concierge.keys().owner(key, shared.now()).ok_or_else(gone)?;
    Ok(((shared.guidance.visitor)(visitor).ok_or_else(gone)?, until))
}

async fn holder(shared: &Shared, from: SocketAddr, body: Body) -> Result<Visitor, No> {
    of_pass(shared, secret(shared, What::Day, from, body).await?).await
}

async fn of_pass(shared: &Shared, pass: PassSecret) -> Result<Visitor, No> {
    let opened = shared.desk.open(pass).await.map_err(busy)?.map_err(store_failed)?;
    Ok(opened.ok_or_else(unknown)?.person.visitor)
}

fn gone() -> No {
    no(
        StatusCode::NOT_FOUND,
        "unknown",
        &"there is no day behind this code any more; open the page of your pass instead",
    )
}

/// Plans off the runtime's thread: a day takes milliseconds, and others ask meanwhile.
async fn planned(shared: &Arc<Shared>, visitor: Visitor) -> Option<Day> {
    let (asked, now) = (shared.clone(), shared.now());
    let planned = tokio::task::spawn_blocking(move || asked.guidance.concierge.day(&visitor, None, now));
    planned.await.ok().flatten()
}

async fn shown(shared: &Arc<Shared>, visitor: Visitor, until: SystemTime) -> Result<Json<DayShown>, No> {
    let language = visitor.wishes.language.clone();
    let day = planned(shared, visitor).await;
    Ok(Json(DayShown {
        site: shared.config.site.to_string(),
        language,
        day,
        expires_at: written(until),
        time: written(shared.now()),
    }))
}

async fn calendar_of(shared: &Arc<Shared>, visitor: Visitor) -> Result<Response, No> {
    let day = planned(shared, visitor).await.ok_or_else(gone)?;
    let now = Timestamp::try_from(shared.now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"day.ics\""),
    ];
    Ok((headers, calendar::ics(&day, now)).into_response())
}
