//! Health and metrics for machines.

use crate::{
    gallery::floor::MEND,
    health::{BrokerState, CameraState, SILENT},
    web::Shared,
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Alive: the process answers.
pub(super) async fn healthz() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "alive": true }))
}

/// Ready: weights checked, networks warmed, gallery and outbox open. A camera or broker that is away is listed; the box
/// is still ready, since taking it out of service would mend neither.
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let mut degraded = Vec::new();
    for (name, state) in shared.health.cameras() {
        match state {
            CameraState::Live => {}
            CameraState::Connecting => degraded.push(format!("camera {name}: no frame yet")),
            CameraState::Lost { reason, .. } => degraded.push(format!("camera {name}: {reason}")),
        }
    }
    match shared.health.broker() {
        BrokerState::Up => {}
        BrokerState::Connecting => degraded.push("broker: not connected yet".into()),
        BrokerState::Down { reason } => degraded.push(format!("broker: {reason}")),
    }
    degraded.extend(shared.health.disk().into_iter().map(|(part, trouble)| format!("{part}: {trouble}")));
    if shared.health.drifts() {
        degraded.push(
            "thresholds: strangers come nearer to enrolled people than they should; run `usher calibrate`".into(),
        );
    }
    let now = shared.clock.now();
    for (name, screen) in shared.health.screens(now) {
        let silent = now.since(screen.seen);
        if silent >= SILENT {
            degraded.push(format!("screen {name}: not heard for {} s", silent.as_secs()));
        }
        degraded.extend(screen.faults.iter().map(|fault| format!("screen {name}: {fault}")));
    }
    let reloaded = shared.health.reloaded();
    degraded.extend(reloaded.trouble.map(|trouble| format!("configuration: {trouble}")));
    degraded.extend(reloaded.waiting.iter().map(|key| format!("configuration: waits for a restart: {key}")));
    if let Some(trouble) = shared.health.guide() {
        degraded.push(format!("guide: {trouble}"));
    }
    if let Some(trouble) = shared.health.flow() {
        degraded.push(format!("flow: {trouble}"));
    }
    if let Some(costs) = shared.health.heat() {
        degraded.push(format!("heat: {costs}"));
    }
    if shared.health.floor_is_far() {
        degraded.push(format!("gallery: the time floor is more than a day ahead of the clock; {MEND}"));
    }
    let ready = shared.health.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "degraded": degraded }))).into_response()
}

/// Metrics in Prometheus' text form.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (shared.prometheus)()).into_response()
}
