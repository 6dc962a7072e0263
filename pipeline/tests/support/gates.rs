//! Gates as node wants them, for the flow page.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test starts threads as it likes")]

use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};
use usher::{
    flow::{
        board::{Board, Past},
        desk::{Asked, Refusal, Step, WhatIf, desk},
        told::{Fan, GateFlow, GateForecast},
    },
    web::flow::{Flow, Mark},
};
use usher_config::value::Name;

/// How many every gate has.
const LANES: u32 = 8;

/// What the flow page is told from; twice the lanes are half the wait here.
pub(crate) fn flow(board: &Arc<Board>, marks: &Arc<Mutex<Vec<Mark>>>) -> Flow {
    let (desk, questions) = desk();
    let (known, marks) = (board.clone(), marks.clone());
    std::thread::spawn(move || {
        for asked in questions {
            let question = match asked {
                Asked::WhatIf(question) => question,
                Asked::Lanes(order) => {
                    let answer = if order.lanes > LANES { Err(Refusal::Lanes(LANES)) } else { Ok(()) };
                    order.answer(answer);
                    continue;
                }
            };
            let queue = known.gate(&question.gate).map(|gate| gate.flow.told.queue);
            let answer = match queue {
                None => Err(Refusal::NoGate),
                Some(None) => Err(Refusal::NoQueue),
                Some(Some(_)) if question.lanes > LANES => Err(Refusal::Lanes(LANES)),
                Some(Some(queue)) => {
                    let at = |lanes: u32| {
                        move |minutes| {
                            let wait = queue.wait_seconds.value * f64::from(queue.lanes_open) / f64::from(lanes.max(1));
                            let fan = |median| Fan {
                                median,
                                low80: median * 0.8,
                                high80: median * 1.2,
                                low95: median * 0.7,
                                high95: median * 1.4,
                            };
                            Step { minutes, lanes, queue: fan(wait / 6.0), wait_seconds: fan(wait) }
                        }
                    };
                    let steps = |lanes| (0..=12).map(|n| n * 5).map(at(lanes)).collect();
                    Ok(WhatIf { as_is: steps(queue.lanes_open), would_be: steps(question.lanes) })
                }
            };
            question.answer(answer);
        }
    });
    let sessions = Box::new(move |_, _| marks.lock().expect("no holder of this lock panics").clone());
    Flow { board: board.clone(), desk, sessions }
}

/// How a gate is, what comes next there, and how it was by minute.
pub(crate) fn tell_gate(board: &Board, asked: &Value, now: SystemTime) {
    let flow: GateFlow = serde_json::from_value(asked["flow"].clone()).expect("how a gate is");
    let past = asked["past"].as_array().into_iter().flatten().map(|minute| Past {
        at: minute["at"].as_i64().expect("seconds"),
        entered: minute["entered"].as_u64().map(|count| count as u32),
        left: minute["left"].as_u64().map(|count| count as u32),
        queue: minute["queue"].as_f64().map(|people| people as f32),
        wait_seconds: minute["wait"].as_f64().map(|seconds| seconds as f32),
    });
    board.tell_flow(flow, past.collect(), now);
    if !asked["forecast"].is_null() {
        let forecast: GateForecast = serde_json::from_value(asked["forecast"].clone()).expect("what comes next");
        board.tell_forecast(forecast, now);
    }
}

/// Sessions to be marked.
pub(crate) fn marks(asked: &Value) -> Vec<Mark> {
    let mark = |mark: &Value| {
        let text = |key: &str| mark[key].as_str().unwrap_or_default().to_owned();
        let gate = mark["gate"].as_str().map(|gate| Name::new(gate).expect("a gate's name"));
        Mark { title: text("title"), venue: text("venue"), gate, starts: text("starts"), ends: text("ends") }
    };
    asked.as_array().expect("a list").iter().map(mark).collect()
}
