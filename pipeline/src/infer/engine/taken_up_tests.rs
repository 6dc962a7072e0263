//! Whoever is followed is followed on where only the zone changed, and is somebody new where the gate did.

use super::*;
use crate::{
    capture::frame::Zone,
    clock::Moment,
    infer::{
        sighting::Sighting,
        track::{TrackIds, Tracker},
    },
};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};
use usher_config::{decide::Liveness, value::Name};
use usher_models::{
    face::Face,
    image::{Point, Rect},
};

fn camera(gate: &str, identifies: bool, zone: Vec<[f32; 2]>) -> Arc<Camera> {
    let name = |text| Name::new(text).unwrap();
    let zone = Zone { corners: zone };
    Arc::new(Camera { name: name("a"), gate: name(gate), zone, liveness: Liveness::Off, identifies })
}

/// A scene in which somebody was seen twice and looked at.
fn scene() -> Scene {
    let mut tracker = Tracker::new(TrackIds::default());
    let rect = Rect { x: 100.0, y: 100.0, width: 50.0, height: 60.0 };
    let face = Face { rect, landmarks: [Point { x: 120.0, y: 120.0 }; 5], confidence: 0.9 };
    for ms in [0, 60, 120, 180] {
        let steady = Duration::from_millis(ms);
        tracker.follow(&[face], Moment { steady, wall: SystemTime::UNIX_EPOCH + steady });
    }
    let id = tracker.tracks()[0].id;
    let looks = HashMap::from([(id, Default::default())]);
    Scene { camera: camera("g", true, Vec::new()), tracker, looks, measured: HashMap::new() }
}

#[test]
fn another_zone_ends_no_track_and_another_gate_or_mode_ends_each() {
    for (now, goes_on) in [
        (camera("g", true, vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), true),
        (camera("h", true, Vec::new()), false),
        (camera("g", false, Vec::new()), false),
    ] {
        let (mut scene, mut round) = (scene(), Round::default());
        scene.take_up(&now, &mut round);
        assert_eq!((scene.tracker.tracks().len(), scene.looks.len()), if goes_on { (1, 1) } else { (0, 0) });
        assert_eq!(scene.camera, now);
        match &round.sightings[..] {
            [] => assert!(goes_on),
            [Sighting::Gone { camera, .. }] => assert!(!goes_on && camera.gate.as_str() == "g" && camera.identifies),
            other => panic!("{other:?}"),
        }
    }
}
