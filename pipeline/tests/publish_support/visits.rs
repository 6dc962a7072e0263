//! A visit as decide hands it on.

use super::name;
use std::{sync::Arc, time::Duration};
use usher::{
    capture::frame::{Camera, Zone},
    clock::Clock,
    decide::visit::Visit,
    gallery::visitor::VisitorId,
    identify::identification::Evidence,
    infer::sighting::{Portrait, TrackId},
};
use usher_config::decide::Liveness;
use usher_models::{image::Rect, template::Score};
use uuid::Uuid;

pub fn visit(clock: &dyn Clock, visitor: VisitorId) -> Visit {
    let now = clock.now();
    let camera = Camera {
        name: name("door"),
        gate: name("north"),
        zone: Zone::default(),
        liveness: Liveness::Off,
        identifies: true,
    };
    let evidence = Evidence {
        looks: 3,
        over: Duration::from_millis(400),
        best: Some(Score(0.71)),
        second: Some(Score(0.12)),
        threshold: Score(0.45),
        enrolled: 11,
    };
    Visit {
        id: Uuid::now_v7(),
        camera: Arc::new(camera),
        track: TrackId(1),
        visitor,
        first: now,
        taken: now,
        pts: Duration::ZERO,
        rect: Rect { x: 1.0, y: 2.0, width: 80.0, height: 90.0 },
        evidence,
        portrait: Portrait { width: 112, height: 112, rgb: vec![120; 112 * 112 * 3].into() },
    }
}
