//! What is counted goes on where a camera or gate did not change, and begins anew where it did.

use super::tests::{LINE, Run, config, moment, name};
use crate::{flow::told::Counting, in_force::InForce};
use std::path::Path;

#[test]
fn totals_and_whoever_is_on_their_way_stay_when_another_camera_goes() {
    let both = config(&[("c", LINE), ("d", LINE)], Path::new("x"));
    let in_force = InForce::of(&both);
    let mut run = Run::new(&both);
    run.counter = run.counter.following(&in_force);
    run.idle(61.0, &["c", "d"]);
    run.walk(100.0, 600.0, &["c"]);
    run.idle(6.0, &["c", "d"]);
    assert_eq!((run.gate().entered_total, run.gate().counting), (1, Counting::Whole));
    // Half over the line when the other camera goes.
    run.walk(100.0, 330.0, &["c"]);
    in_force.put(config(&[("c", LINE)], Path::new("x")));
    run.counter.take_up(moment(run.now));
    run.walk(340.0, 600.0, &["c"]);
    run.idle(6.0, &["c"]);
    let gate = run.gate();
    assert_eq!(
        (gate.entered_total, gate.counting, gate.lost),
        (2, Counting::Whole, vec![]),
        "the camera that stays saw all along"
    );
    run.walk(100.0, 600.0, &["d"]);
    run.idle(6.0, &["c"]);
    assert_eq!(run.gate().entered_total, 2, "nobody is counted at a camera that was removed");
}

#[test]
fn another_line_counts_from_then_on_and_a_camera_that_comes_is_waited_for() {
    let one = config(&[("c", LINE)], Path::new("x"));
    let in_force = InForce::of(&one);
    let mut run = Run::new(&one);
    run.counter = run.counter.following(&in_force);
    run.idle(61.0, &["c"]);
    in_force.put(config(&[("c", "line: [[0, 0.9], [1, 0.9]]"), ("d", LINE)], Path::new("x")));
    run.counter.take_up(moment(run.now));
    assert_eq!((run.gate().counting, run.gate().lost), (Counting::Partial, vec![name("d")]));
    run.walk(100.0, 600.0, &["c"]);
    run.idle(6.0, &["c", "d"]);
    assert_eq!(run.gate().entered_total, 0, "the old line is none any more");
    run.walk(100.0, 710.0, &["c"]);
    run.idle(6.0, &["c", "d"]);
    assert_eq!(run.gate().entered_total, 1);
}
