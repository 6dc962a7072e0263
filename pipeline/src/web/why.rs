//! Why: everything that one decision was made of, for a signed-in operator.
//!
//! Made of figures that are kept in memory for the last decisions. Who it was is looked up when asked, so that whoever is
//! forgotten is nobody here too; of whoever was not named there is nothing to look up.

use crate::{
    clock::Moment,
    gallery::visitor::VisitorId,
    identify::{
        checks::{Check, Found, Rule},
        identification::Verdict,
        reasons::Told,
    },
    web::{Shared, board::Numbered, routes::Asker, words},
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;
use usher_config::value::Name;
use usher_models::{quality::Quality, template::Score};

/// A decision opened up.
#[derive(Serialize)]
struct Why {
    number: u64,
    at: String,
    gate: Name,
    camera: Name,
    track: u64,
    deed: crate::decide::visit::Deed,
    found: Found,
    sentence: String,
    /// Only of whoever was named and is still enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor: Option<VisitorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrait: Option<String>,
    best: Option<Score>,
    second: Option<Score>,
    threshold: Option<Score>,
    enrolled: usize,
    looks: Vec<Look>,
    untold: u32,
    refused: u32,
    rules: Vec<RuleTold>,
    kept_from: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Look {
    number: u32,
    after_ms: u64,
    weight: f32,
    /// Of the pool, 0..=1.
    share: f32,
    score: Option<Score>,
    pooled: bool,
    quality: Quality,
}

#[derive(Serialize)]
struct RuleTold {
    #[serde(flatten)]
    check: Check,
    title: &'static str,
    needed_words: String,
    was_words: String,
}

/// One moment on the way from the camera to the broker.
#[derive(Serialize)]
struct Step {
    step: &'static str,
    title: &'static str,
    /// Milliseconds from the arrival of the deciding frame; before it, negative. `None`: not known yet, or never.
    at_ms: Option<f64>,
    /// Why there is no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'static str>,
}

/// `/api/why/NUMBER`: what a decision was made of.
pub(super) async fn record(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match kept(&shared, &number, &headers) {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    // A name is looked up for it: not on the runtime's thread.
    match tokio::task::spawn_blocking(move || Why::of(&found, &shared)).await {
        Ok(why) => Json(why).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `/api/why/NUMBER/portrait.jpg`: the picture that the screen showed, where the site keeps it.
pub(super) async fn portrait(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match kept(&shared, &number, &headers) {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let is_enrolled = visitor_of(&found).is_some_and(|visitor| (shared.figures.is_enrolled)(visitor));
    match found.portrait.filter(|_| is_enrolled) {
        Some(jpeg) => ([(header::CONTENT_TYPE, "image/jpeg")], Body::from(jpeg)).into_response(),
        None => (StatusCode::NOT_FOUND, "no picture is kept of this decision; see web.why.pictures").into_response(),
    }
}

/// The decision of this number, for whoever may see it.
#[expect(clippy::result_large_err, reason = "the error is the answer itself, made once a request")]
fn kept(shared: &Shared, number: &str, headers: &HeaderMap) -> Result<Numbered, Response> {
    if !Asker::of(headers).is_signed_in(shared) {
        let why = "why something was decided is shown after signing in: on the operator's page, with the token that was \
                   printed when usher started, or by POST /api/sign-in with {\"token\": …}";
        return Err((StatusCode::UNAUTHORIZED, why).into_response());
    }
    let found = number.parse().ok().and_then(|number| shared.board.numbered(number));
    found.ok_or_else(|| {
        let why = "no such decision is known (any more): reasons of the last decisions are kept, in memory only, until \
                   newer ones take their place or usher is started again";
        (StatusCode::NOT_FOUND, why).into_response()
    })
}

/// Whom a decision named.
fn visitor_of(found: &Numbered) -> Option<VisitorId> {
    match found.outcome.verdict {
        Verdict::Known { visitor, .. } => Some(visitor),
        _ => None,
    }
}

impl Why {
    fn of(found: &Numbered, shared: &Shared) -> Self {
        let Numbered { number, outcome, .. } = found;
        let reasons = &outcome.reasons;
        let named = visitor_of(found).and_then(|visitor| Some((visitor, (shared.figures.name_of)(visitor)?)));
        let portrait = found.portrait.is_some() && named.is_some();
        let (visitor, name) = named.unzip();
        let evidence = reasons.evidence;
        let pool: f32 = reasons.looks.iter().filter(|look| look.is_pooled).map(|look| look.weight).sum();
        let checks = reasons.checks.iter().flat_map(|checks| checks.each());
        // What speaks against a name later keeps nobody from it any more.
        let is_unnamed = !matches!(reasons.found, Found::Named | Found::Doubted);
        Self {
            number: *number,
            at: shared.written(outcome.at.wall),
            gate: outcome.camera.gate.clone(),
            camera: outcome.camera.name.clone(),
            track: outcome.track.0,
            deed: outcome.deed,
            found: reasons.found,
            sentence: words::sentence(reasons, outcome.deed),
            visitor,
            name,
            portrait: portrait.then(|| format!("/api/why/{number}/portrait.jpg")),
            best: evidence.and_then(|evidence| evidence.best),
            second: evidence.and_then(|evidence| evidence.second),
            threshold: evidence.map(|evidence| evidence.threshold),
            enrolled: evidence.map_or(0, |evidence| evidence.enrolled),
            looks: reasons.looks.iter().map(|told| Look::of(told, pool)).collect(),
            untold: reasons.untold,
            refused: reasons.refused,
            rules: checks.clone().map(RuleTold::of).collect(),
            kept_from: checks.filter(|check| is_unnamed && check.keeps()).map(words::shortfall).collect(),
            steps: steps(found),
        }
    }
}

impl Look {
    fn of(told: &Told, pool: f32) -> Self {
        Self {
            number: told.number,
            after_ms: (told.after.as_secs_f64() * 1000.0).round() as u64,
            weight: told.weight,
            share: if told.is_pooled && pool > 0.0 { told.weight / pool } else { 0.0 },
            score: told.score,
            pooled: told.is_pooled,
            quality: told.quality,
        }
    }
}

impl RuleTold {
    fn of(check: &Check) -> Self {
        let was_words = match (check.rule, check.was) {
            (Rule::Margin, None) if check.met.is_some() => "nobody else to compare with".to_owned(),
            (_, None) => "not asked".to_owned(),
            (rule, Some(was)) => words::figure(rule, was),
        };
        let needed_words = words::figure(check.rule, check.needed);
        Self { check: *check, title: words::title(check.rule), needed_words, was_words }
    }
}

/// From the first look to the broker, as far as it is known.
fn steps(found: &Numbered) -> Vec<Step> {
    let outcome = &found.outcome;
    let frame = outcome.taken;
    let ms = |at: Moment| (at.steady.as_secs_f64() - frame.steady.as_secs_f64()) * 1000.0;
    let told = |step, title, at: Option<Moment>, missing| {
        let at_ms = at.map(|at| (ms(at) * 100.0).round() / 100.0);
        Step { step, title, at_ms, missing: if at_ms.is_none() { Some(missing) } else { None } }
    };
    let unpublished = "nothing was published";
    let (no_disk, no_broker) = match outcome.visit {
        Some(_) => ("not yet", "not yet"),
        None => (unpublished, unpublished),
    };
    vec![
        told("first", "first look's frame arrived", Some(outcome.first), "not known"),
        told("frame", "last look's frame arrived", Some(frame), "not known"),
        told("embedded", "look embedded", outcome.reasons.embedded, "not known"),
        told("verdict", "verdict", outcome.judged, "not known"),
        told("decided", "decided", Some(outcome.at), "not known"),
        told("outbox", "in the outbox, on disk", found.stored, no_disk),
        told("acknowledged", "acknowledged by the broker", found.acknowledged, no_broker),
    ]
}
