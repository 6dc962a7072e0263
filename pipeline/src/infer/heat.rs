//! Heat: fewer frames before the machine slows itself down.
//!
//! A box in the sun is throttled by its kernel at some temperature, all at once and for everything: frames then wait, and a gate
//! that answered in a third of a second answers in two. So usher looks at the thermometers every ten seconds, and from
//! [`MARGIN`] below that temperature on analyses fewer frames: first where nobody waits to be decided about, and of those last
//! whose looks decide something. It takes a step at a time, since what is done shows only after some ten seconds (a heat sink's
//! time constant), and goes back when it is cool again.
//!
//! Thermometers are the kernel's (`/sys/class/thermal`, `/sys/class/hwmon`; the kernel's documentation, "Generic Thermal Sysfs
//! driver How To" and "Naming and data format standards for sysfs files"). A machine without any is never hot.

mod watch;

pub use watch::watch;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Kelvin below the throttling temperature that are kept.
pub const MARGIN: f32 = 5.0;
/// Kelvin more, from which on frames come back: between the two nothing changes.
const AGAIN: f32 = 5.0;
/// What is left of the rate after a step down, and how much of it comes back at a step up.
const STEPS: (f32, f32) = (0.8, 1.1);
/// Least share of the rate: two frames a second of the default eight, and half of the fifteen where somebody is undecided about.
pub const LEAST: f32 = 0.25;
/// Celsius at which a machine that does not say so is taken to throttle itself.
const USUAL: f32 = 85.0;
/// Kelvin below the temperature at which a machine turns itself off, where it tells that alone.
const BEFORE_OFF: f32 = 10.0;
/// Parts whose heat does not slow what usher does.
const OTHERS: [&str; 5] = ["iwlwifi", "nvme", "battery", "ambient", "charger"];

/// How hot it is somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The thermometer, as the kernel calls it.
    pub part: String,
    /// Celsius.
    pub is: f32,
    /// Celsius at which the kernel or the chip throttles.
    pub throttles: f32,
}

impl Reading {
    /// Kelvin that are left.
    pub fn left(&self) -> f32 {
        self.throttles - self.is
    }
}

/// The thermometer with the least left, of those below `sys` (`/sys`); `None` on a machine without any.
pub fn hottest(sys: &Path) -> Option<Reading> {
    let folders =
        |of: &str| fs::read_dir(sys.join("class").join(of)).into_iter().flatten().flatten().map(|entry| entry.path());
    let zones = folders("thermal").filter_map(|folder| zone(&folder));
    let chips = folders("hwmon").flat_map(|folder| chip(&folder));
    zones.chain(chips).min_by(|a, b| a.left().total_cmp(&b.left()))
}

fn text(path: PathBuf) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Thousandths of a degree, as Celsius; nobody's sensor is right beyond these.
fn celsius(path: PathBuf) -> Option<f32> {
    let thousandths: i32 = text(path)?.parse().ok()?;
    (-40_000..=150_000).contains(&thousandths).then_some(thousandths as f32 / 1000.0)
}

fn is_ours(part: &str) -> bool {
    !OTHERS.iter().any(|other| part.to_ascii_lowercase().contains(other))
}

/// A thermal zone: the kernel throttles at its lowest passive trip point.
fn zone(folder: &Path) -> Option<Reading> {
    let part = text(folder.join("type")).filter(|part| is_ours(part))?;
    let is = celsius(folder.join("temp"))?;
    let trips = (0..16).map_while(|number| {
        let kind = text(folder.join(format!("trip_point_{number}_type")))?;
        Some((kind, celsius(folder.join(format!("trip_point_{number}_temp")))))
    });
    let trips: Vec<(String, f32)> = trips.filter_map(|(kind, at)| Some((kind, at.filter(|at| *at > 0.0)?))).collect();
    let least = |wanted: &str| {
        let of_it = trips.iter().filter(|(kind, _)| kind == wanted).map(|(_, at)| *at);
        of_it.min_by(f32::total_cmp)
    };
    let off = || least("critical").map(|at| at - BEFORE_OFF);
    let throttles = least("passive").or_else(|| least("hot")).or_else(off).unwrap_or(USUAL);
    Some(Reading { part, is, throttles })
}

/// A chip's own sensors, of those that say at what temperature they slow themselves down.
fn chip(folder: &Path) -> Vec<Reading> {
    let Some(part) = text(folder.join("name")).filter(|part| is_ours(part)) else { return Vec::new() };
    let sensor = |number| {
        let is = celsius(folder.join(format!("temp{number}_input")))?;
        let throttles = celsius(folder.join(format!("temp{number}_crit"))).filter(|at| *at > 0.0)? - BEFORE_OFF;
        Some(Reading { part: part.clone(), is, throttles })
    };
    (1..=32).filter_map(sensor).collect()
}

/// The share of its rate that a camera gets now; stages read it before each frame.
#[derive(Debug)]
pub struct Share(AtomicU32);

impl Default for Share {
    fn default() -> Self {
        Self(AtomicU32::new(1.0_f32.to_bits()))
    }
}

impl Share {
    /// From [`LEAST`] to 1.
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Decides anew after a look at the thermometers; true where it changed.
    pub fn decide(&self, hottest: Option<&Reading>) -> bool {
        let (before, (down, up)) = (self.get(), STEPS);
        let share = match hottest.map(Reading::left) {
            Some(left) if left < MARGIN => (before * down).max(LEAST),
            Some(left) if left < MARGIN + AGAIN => before,
            _ => (before * up).min(1.0),
        };
        self.0.store(share.to_bits(), Ordering::Relaxed);
        share.to_bits() != before.to_bits()
    }
}

/// The share where somebody is undecided about: all of it, until half is gone elsewhere.
pub fn undecided(share: f32) -> f32 {
    (2.0 * share).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn the_thermometer_with_the_least_left_counts_and_only_what_computes() {
        let sys = tempfile::tempdir().unwrap();
        let (thermal, hwmon) = (sys.path().join("class/thermal"), sys.path().join("class/hwmon"));
        assert_eq!(hottest(sys.path()), None, "a machine without thermometers is never hot");
        // A radio is hot, and nobody minds; a zone whose trip points were never set tells the usual.
        write(&thermal.join("thermal_zone0"), &[("type", "iwlwifi_1"), ("temp", "99000")]);
        let unset = [
            ("type", "x86_pkg_temp"),
            ("temp", "60000"),
            ("trip_point_0_type", "passive"),
            ("trip_point_0_temp", "-274000"),
        ];
        write(&thermal.join("thermal_zone1"), &unset);
        assert_eq!(hottest(sys.path()).unwrap(), Reading { part: "x86_pkg_temp".into(), is: 60.0, throttles: 85.0 });
        let board = [
            ("type", "cpu-thermal"),
            ("temp", "80500"),
            ("trip_point_0_type", "critical"),
            ("trip_point_0_temp", "104500"),
            ("trip_point_1_type", "passive"),
            ("trip_point_1_temp", "99000"),
        ];
        write(&thermal.join("thermal_zone2"), &board);
        assert_eq!(hottest(sys.path()).unwrap().throttles, 99.0);
        write(&hwmon.join("hwmon0"), &[("name", "coretemp"), ("temp2_input", "81000"), ("temp2_crit", "100000")]);
        let chip = hottest(sys.path()).unwrap();
        assert_eq!((chip.part.as_str(), chip.left()), ("coretemp", 9.0));
        // A sensor that tells nonsense, or nothing, tells nothing.
        write(
            &thermal.join("thermal_zone3"),
            &[("type", "gpu"), ("temp", "4294967"), ("trip_point_0_type", "passive")],
        );
        write(&thermal.join("thermal_zone4"), &[("type", "soc"), ("temp", "")]);
        assert_eq!(hottest(sys.path()).unwrap().part, "coretemp");
    }

    /// A box whose temperature follows its work, with the time constant of a heat sink.
    fn settled(outside: f32, seconds: u32) -> (f32, f32, u32) {
        let (share, mut is, mut worst, mut changes) = (Share::default(), outside + 50.0, 0.0_f32, 0);
        for second in 0..seconds {
            // Fifteen degrees of it are there whatever usher does.
            let towards = outside + 15.0 + 35.0 * share.get();
            is += (towards - is) / 30.0;
            if second % 10 == 0 {
                let reading = Reading { part: "cpu".into(), is, throttles: 95.0 };
                changes += u32::from(share.decide(Some(&reading)) && second > seconds / 2);
            }
            if second > 120 {
                worst = worst.max(is);
            }
        }
        (share.get(), worst, changes)
    }

    #[test]
    fn a_box_in_the_sun_stays_below_where_it_is_throttled_and_a_cool_one_keeps_its_rate() {
        let (share, hottest, changes) = settled(25.0, 3600);
        assert_eq!((share, changes), (1.0, 0), "{hottest}");
        for outside in [45.0, 50.0, 55.0, 60.0] {
            let (share, hottest, changes) = settled(outside, 3600);
            assert!(hottest < 95.0 && (LEAST..1.0).contains(&share), "{outside}: {share} at {hottest}");
            assert!(changes <= 2, "it settles and does not swing: {changes} changes at {outside}");
        }
    }

    #[test]
    fn it_gives_up_no_more_than_it_may_and_comes_back_when_cool() {
        let share = Share::default();
        let at = |is| Reading { part: "cpu".into(), is, throttles: 95.0 };
        while share.decide(Some(&at(99.0))) {}
        assert_eq!((share.get(), undecided(share.get())), (LEAST, 0.5));
        assert!(!share.decide(Some(&at(87.0))), "between the two nothing changes");
        while share.decide(Some(&at(80.0))) {}
        assert_eq!((share.get(), undecided(share.get())), (1.0, 1.0));
        assert_eq!(undecided(0.6), 1.0, "who waits to be decided about waits no longer");
        // A thermometer that is gone holds nobody back.
        share.decide(Some(&at(99.0)));
        while share.decide(None) {}
        assert_eq!(share.get(), 1.0);
    }
}
