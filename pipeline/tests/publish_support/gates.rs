//! A gate that is full of people, with everything that can be told of one.

use super::name;
use usher::flow::told::{
    Advice, AdviceKind, Counting, DayBin, Estimate, Fan, GateFlow, GateForecast, Grade, Horizon, QueueNow, RestsOn,
};

fn fan(median: f64) -> Fan {
    Fan { median, low80: median * 0.8, high80: median * 1.3, low95: median * 0.6, high95: median * 1.6 }
}

fn estimate(value: f64) -> Estimate {
    Estimate { value, low: value * 0.9, high: value * 1.2 }
}

pub fn flow(entered: u32) -> GateFlow {
    let advice = |cause: &str, kind, text: &str| Advice {
        cause: cause.into(),
        kind,
        minutes: Some(7),
        lanes: Some(2),
        gate: Some(name("south")),
        wait_seconds: Some(240),
        text: text.into(),
    };
    GateFlow {
        v: 1,
        site: name("arena"),
        gate: name("north"),
        at: "2026-07-26T17:03:00.000+02:00".into(),
        counting: Counting::Partial,
        lost_cameras: vec![name("door")],
        counting_since: None,
        entered_last_minute: Some(entered),
        left_last_minute: Some(1),
        entered_total: 812,
        left_total: 40,
        inside: Some(772),
        queue: Some(QueueNow {
            length: estimate(61.0),
            wait_seconds: estimate(420.0),
            service_per_minute: estimate(9.0),
            lanes_open: 3,
        }),
        limit_seconds: Some(600),
        advice: vec![
            advice("wait", AdviceKind::OverSoon, "The wait is over 10 minutes in 7 minutes."),
            advice("steer", AdviceKind::Steer, "The south gate has room: 4 minutes."),
        ],
    }
}

pub fn forecast() -> GateForecast {
    let horizon =
        |minutes| Horizon { minutes, arrivals: fan(14.0), queue: Some(fan(70.0)), wait_seconds: Some(fan(460.0)) };
    GateForecast {
        v: 1,
        site: name("arena"),
        gate: name("north"),
        at: "2026-07-26T17:03:00.000+02:00".into(),
        horizons: [5, 15, 30, 60].map(horizon).to_vec(),
        day: vec![DayBin { at: "2026-07-26T17:15:00+02:00".into(), arrivals: fan(190.0) }],
        grades: vec![Grade {
            minutes: 30,
            forecasts: 44,
            mean_absolute_error: 2.1,
            mase: Some(0.7),
            coverage80: Some(0.81),
            coverage95: Some(0.95),
        }],
        rests_on: RestsOn::Both,
    }
}
