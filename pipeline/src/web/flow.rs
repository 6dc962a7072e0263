//! The flow page's API: all gates as they change, one gate as it was and will be, and what would be if.
//!
//! Nobody's name, picture or time is in any of it; it is for whoever sits at the box or has signed in all the same, since how full
//! a venue is and where it is weak is nobody else's business.

use crate::{
    flow::{
        board::{Board, Gate, Past, Version},
        desk::{Desk, Refusal},
        told::{GateFlow, GateForecast, Horizon, RestsOn},
    },
    web::{Shared, routes::Asker, streams::permit},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use usher_config::value::Name;

/// How often the board is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Something is told at least this often: by it the page knows that the box is still there, and its time.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest wait for the answer to "what if".
const PATIENCE: Duration = Duration::from_secs(5);
/// Minutes of counts that a gate is told with at a glance.
const GLANCE: usize = 60;
/// How far from now sessions are marked in plots.
const MARKED: Duration = Duration::from_secs(24 * 3600);
/// Sessions that are marked; more are a fringe that nobody reads.
const MARKS: usize = 60;
/// Farthest that "what if" may be asked ahead.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// What the flow page is told from.
pub struct Flow {
    /// What flow told last.
    pub board: Arc<Board>,
    /// Where "what if" is asked.
    pub desk: Desk,
    /// The sessions between two times, soonest first.
    pub sessions: Box<dyn Fn(SystemTime, SystemTime) -> Vec<Mark> + Send + Sync>,
}

/// A session, as plots mark it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// What is on.
    pub title: String,
    /// Where.
    pub venue: String,
    /// The gate to take, where the programme names one.
    pub gate: Option<Name>,
    /// RFC 3339.
    pub starts: String,
    /// RFC 3339.
    pub ends: String,
}

/// All gates that are news to a page.
#[derive(Serialize)]
struct Told<'a> {
    time: String,
    site: &'a Name,
    signed_in: bool,
    /// Whether this asker may see gates; where not there are none.
    allowed: bool,
    trouble: Option<String>,
    /// Whether these are all gates; else those that changed.
    whole: bool,
    gates: Vec<AtAGlance<'a>>,
}

/// A gate among others.
#[derive(Serialize)]
struct AtAGlance<'a> {
    flow: &'a GateFlow,
    horizons: &'a [Horizon],
    rests_on: Option<RestsOn>,
    /// People who came in, by minute, of the last hour.
    entered: Vec<Option<u32>>,
}

impl<'a> AtAGlance<'a> {
    fn of(gate: &'a Gate) -> Self {
        let forecast = gate.forecast.as_ref().map(|forecast| &*forecast.told);
        let last = &gate.past[gate.past.len().saturating_sub(GLANCE)..];
        Self {
            flow: &gate.flow.told,
            horizons: forecast.map_or(&[], |forecast| &forecast.horizons),
            rests_on: forecast.map(|forecast| forecast.rests_on),
            entered: last.iter().map(|minute| minute.entered).collect(),
        }
    }
}

/// One gate, as it was and as it will be.
#[derive(Serialize)]
struct Whole<'a> {
    time: String,
    flow: &'a GateFlow,
    forecast: Option<&'a GateForecast>,
    /// When the first minute of what follows began, seconds since 1970.
    from: i64,
    entered: Vec<Option<u32>>,
    left: Vec<Option<u32>>,
    queue: Vec<Option<f32>>,
    wait_seconds: Vec<Option<f32>>,
    marks: Vec<Mark>,
}

impl<'a> Whole<'a> {
    fn of(gate: &'a Gate, marks: Vec<Mark>, time: String) -> Self {
        let past: &[Past] = &gate.past;
        Self {
            time,
            flow: &gate.flow.told,
            forecast: gate.forecast.as_ref().map(|forecast| &*forecast.told),
            from: past.first().map_or(0, |first| first.at),
            entered: past.iter().map(|minute| minute.entered).collect(),
            left: past.iter().map(|minute| minute.left).collect(),
            queue: past.iter().map(|minute| minute.queue).collect(),
            wait_seconds: past.iter().map(|minute| minute.wait_seconds).collect(),
            marks,
        }
    }
}

/// The routes of the flow page.
pub(super) fn routes(router: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    router
        .route("/api/flow", get(all))
        .route("/api/flow/events", get(events))
        .route("/api/flow/gates/{gate}", get(one))
        .route("/api/flow/what-if", post(what_if))
        .route("/api/flow/lanes", post(lanes))
}

/// Everything that is newer than `known`, as JSON, and the version that it is of.
fn told(shared: &Shared, asker: &Asker, known: Option<Version>) -> (String, Version) {
    let allowed = asker.may_see_pictures(shared);
    let board = &shared.figures.flow.board;
    let (version, gates) = if allowed { board.gates() } else { (board.version(), BTreeMap::new()) };
    let is_news = |gate: &&Gate| known.is_none_or(|known| gate.version() > known);
    let told = Told {
        time: shared.written(shared.clock.now().wall),
        site: &shared.settings().site,
        signed_in: asker.is_signed_in(shared),
        allowed,
        trouble: allowed.then(|| shared.health.flow()).flatten(),
        whole: known.is_none(),
        gates: gates.values().filter(is_news).map(AtAGlance::of).collect(),
    };
    (serde_json::to_string(&told).expect("what flow tells is plain data"), version)
}

/// `/api/flow`: all gates, once.
async fn all(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let (body, _) = told(&shared, &Asker::of(&headers), None);
    json(body)
}

/// `/api/flow/events`: all gates, then whatever changes.
async fn events(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some(permit) = permit(&shared) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open; close some").into_response();
    };
    // Two places: one being written, one that says what is newest.
    let (sender, receiver) = mpsc::channel::<Result<Event, Infallible>>(2);
    let asker = Asker::of(&headers);
    tokio::spawn(async move {
        let _permit = permit;
        let (mut known, mut sent, mut was_allowed) = (None, None, false);
        loop {
            let now = shared.clock.now();
            let allowed = asker.may_see_pictures(&shared);
            // Whoever signs in sees all gates, whoever has signed out none, at once.
            if allowed != was_allowed {
                (known, was_allowed) = (None, allowed);
            }
            let silent = sent.is_none_or(|sent| now.since(sent) >= SILENCE);
            if silent || known != Some(shared.figures.flow.board.version()) {
                let (body, version) = told(&shared, &asker, known);
                if sender.send(Ok(Event::default().data(body))).await.is_err() {
                    return;
                }
                (known, sent) = (Some(version), Some(now));
            }
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    Sse::new(ReceiverStream::new(receiver)).into_response()
}

/// `/api/flow/gates/GATE`: one gate's last day and next hours.
async fn one(State(shared): State<Arc<Shared>>, Path(gate): Path<String>, headers: HeaderMap) -> Response {
    if !Asker::of(&headers).may_see_pictures(&shared) {
        return (StatusCode::UNAUTHORIZED, "sign in to see gates").into_response();
    }
    let flow = &shared.figures.flow;
    let Some((name, gate)) = Name::new(&gate).and_then(|name| flow.board.gate(&name).map(|gate| (name, gate))) else {
        return (StatusCode::NOT_FOUND, "no gate has this name").into_response();
    };
    let now = shared.clock.now().wall;
    let mut marks = (flow.sessions)(now - MARKED, now + MARKED);
    marks.retain(|mark| mark.gate.as_ref().is_none_or(|gate| *gate == name));
    marks.truncate(MARKS);
    json(serde_json::to_string(&Whole::of(&gate, marks, shared.written(now))).expect("what flow tells is plain data"))
}

#[derive(Deserialize)]
struct Asked {
    gate: String,
    lanes: u32,
    /// Minutes from now.
    minutes: u32,
}

/// `POST /api/flow/what-if`: how a queue would be with other lanes from a time on.
async fn what_if(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Asked>) -> Response {
    if !Asker::of(&headers).may_see_pictures(&shared) {
        return (StatusCode::UNAUTHORIZED, "sign in to ask this").into_response();
    }
    let Some(gate) = Name::new(&asked.gate) else { return refused(&Refusal::NoGate) };
    let ahead = Duration::from_secs(u64::from(asked.minutes) * 60);
    if ahead > AHEAD {
        return refused(&Refusal::TooFar(AHEAD.as_secs() as u32 / 60));
    }
    let from = shared.clock.now().wall + ahead;
    let desk = shared.figures.flow.desk.clone();
    let answer = tokio::task::spawn_blocking(move || desk.ask(gate, asked.lanes, from, PATIENCE)).await;
    match answer.unwrap_or(Err(Refusal::Silent)) {
        Ok(answer) => Json(answer).into_response(),
        Err(why) => refused(&why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenLanes {
    gate: String,
    /// Lanes that are open from now on.
    lanes: u32,
}

/// `POST /api/flow/lanes`: so many lanes are open at a gate. It is an act, so that whoever only sits at the box signs in for it.
async fn lanes(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(said): Json<OpenLanes>) -> Response {
    if !Asker::of(&headers).is_signed_in(&shared) {
        return (StatusCode::UNAUTHORIZED, "sign in to say how many lanes are open").into_response();
    }
    let Some(gate) = Name::new(&said.gate) else { return refused(&Refusal::NoGate) };
    let desk = shared.figures.flow.desk.clone();
    let answer = tokio::task::spawn_blocking(move || desk.set_lanes(gate, said.lanes, PATIENCE)).await;
    match answer.unwrap_or(Err(Refusal::Silent)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refused(&why),
    }
}

fn refused(why: &Refusal) -> Response {
    let status = match why {
        Refusal::NoGate => StatusCode::NOT_FOUND,
        Refusal::NoQueue | Refusal::Lanes(_) | Refusal::TooFar(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Busy | Refusal::Silent | Refusal::NotKept(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, why.to_string()).into_response()
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
