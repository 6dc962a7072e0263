//! Pressure on the machine: little of a processor, little memory, and four times the pictures that it can look at.
//!
//! Short in `make test`, one after the other; `make soak-pressure` and `make soak-overload` play the long forms, and each prints
//! one line of JSON. What is promised in figures is judged in these alone: a machine that does other things proves no speed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests of whole processes wait by the machine's clock; the camera's process speaks by its output"
)]

#[path = "support/ages.rs"]
mod ages;
#[path = "support/bench.rs"]
mod bench;
#[expect(dead_code, reason = "one kind of camera is enough here")]
#[path = "support/camera_process.rs"]
mod camera_process;
#[path = "pressure/cpu.rs"]
mod cpu;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;
#[path = "pressure/memory.rs"]
mod memory;
#[allow(dead_code, unreachable_pub, reason = "made for other tests as well")]
#[path = "publish_support/mosquitto.rs"]
mod mosquitto;
#[path = "pressure/overload.rs"]
mod overload;
#[path = "support/slope.rs"]
mod slope;
#[path = "support/tablet.rs"]
mod tablet;
#[path = "support/throttle.rs"]
mod throttle;
#[path = "support/unit.rs"]
mod unit;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Not a test of its own: the camera that another starts.
#[test]
#[ignore = "the camera of another test, in a process of its own"]
fn a_camera_in_a_process_of_its_own() {
    camera_process::be_a_camera();
}

/// Held by the one test that presses on the machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `variable` says, else nothing: the short form.
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

fn free_port() -> u16 {
    gate::free().port()
}

/// Waits for what takes a moment.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
