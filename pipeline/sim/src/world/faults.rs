//! Faults: what breaks, when, for how long; and what must hold while it does.

use crate::{
    agenda::Agenda,
    day::{Day, EVENING},
    disk::Mood,
    net::Way,
    truth::Violation,
    world::{
        Event, Packet, World,
        cameras::{Device, Sight},
    },
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A camera.
    Camera(usize, Sight),
    /// usher is killed (-9), or the power fails.
    Kill,
    /// The broker is killed: whatever it had not acknowledged is gone.
    Broker,
    /// The broker acknowledges nothing.
    Mute,
    /// The way to the broker.
    Way(Way),
    /// A connection is cut.
    Cut,
    /// The way to the broker is slow: milliseconds.
    Slow(u64),
    /// The disk of the outbox.
    Disk(Mood),
    /// Its commits take milliseconds.
    Commits(u64),
    /// The wall clock shows so many milliseconds more than it did.
    Jump(i64),
}

/// One kind of faults: how many an hour, and for how long, seconds.
type Kind = (f64, (f64, f64), fn(&mut ChaCha8Rng, usize) -> Fault);

fn camera(random: &mut ChaCha8Rng, cameras: usize) -> usize {
    random.random_range(0..cameras)
}

const KINDS: [Kind; 13] = [
    (8.0, (0.5, 25.0), |random, cameras| Fault::Camera(camera(random, cameras), Sight::Frozen)),
    (8.0, (0.5, 25.0), |random, cameras| Fault::Camera(camera(random, cameras), Sight::Silent)),
    (8.0, (0.5, 40.0), |random, cameras| Fault::Camera(camera(random, cameras), Sight::Dead)),
    (8.0, (0.3, 6.0), |_, _| Fault::Kill),
    (6.0, (0.2, 30.0), |_, _| Fault::Broker),
    (4.0, (1.0, 20.0), |_, _| Fault::Mute),
    (4.0, (1.0, 40.0), |_, _| Fault::Way(Way::Dark)),
    (4.0, (1.0, 20.0), |_, _| Fault::Way(Way::HalfClosed)),
    (8.0, (0.0, 0.1), |_, _| Fault::Cut),
    (4.0, (5.0, 60.0), |random, _| Fault::Slow(random.random_range(100..3_000))),
    (6.0, (1.0, 90.0), |random, _| {
        Fault::Disk([Mood::Full, Mood::ReadOnly, Mood::Torn, Mood::Gone][random.random_range(0..4)])
    }),
    (4.0, (5.0, 60.0), |random, _| Fault::Commits(random.random_range(50..3_000))),
    (4.0, (0.0, 1.0), |random, _| {
        let far: i64 = if random.random_bool(0.3) { 7_200_000 } else { 30_000 };
        Fault::Jump(random.random_range(-far..far))
    }),
];

/// Writes down what breaks on this day.
pub(crate) fn plan(day: &Day, cameras: usize, random: &mut ChaCha8Rng, agenda: &mut Agenda<Event>) {
    let open = day.lasts() - EVENING;
    for (hourly, (shortest, longest), make) in KINDS {
        let expected = hourly * open.as_secs_f64() / 3600.0;
        // Days differ: on some of them a kind does not come at all, on others three times as often.
        let count = (expected * 3.0 * random.random::<f64>().powi(2)).round() as usize;
        for _ in 0..count {
            let at = open.mul_f64(random.random());
            let lasts = Duration::from_secs_f64(random.random_range(shortest..longest));
            let fault = make(random, cameras);
            agenda.at(at, Event::Break(fault));
            agenda.at((at + lasts).min(open), Event::Mend(fault));
        }
    }
}

impl World {
    pub(crate) fn breaks(&mut self, fault: Fault) {
        self.figures.faults += 1;
        self.tell(|| format!("{fault:?}"));
        match fault {
            Fault::Camera(camera, sight) => {
                if self.devices[camera].sight == Sight::Well {
                    self.turns(camera, sight);
                }
            }
            Fault::Kill => self.is_killed(),
            Fault::Broker => {
                self.net.is_broker_up = false;
                self.breaks_off("the broker closed it");
            }
            Fault::Mute => self.net.is_mute = true,
            Fault::Way(way) => {
                self.net.way = way;
                let number = self.net.connection.number;
                self.later(PINGS, Event::Packet(number, Packet::Unheard));
            }
            Fault::Cut => self.breaks_off("reset by peer"),
            Fault::Slow(ms) => self.net.slow_ms = ms,
            Fault::Disk(mood) => self.disk.platter().mood = mood,
            Fault::Commits(ms) => self.commit = Duration::from_millis(ms),
            Fault::Jump(ms) => {
                self.truth.jumps += 1;
                self.time.jump(self.time.off_ms() + ms);
            }
        }
    }

    pub(crate) fn mends(&mut self, fault: Fault) {
        self.tell(|| format!("mended: {fault:?}"));
        match fault {
            Fault::Camera(camera, sight) if self.devices[camera].sight == sight => match sight {
                // It boots before it gives anything.
                Sight::Dead if !self.is_evening => {
                    self.turns(camera, Sight::Boots);
                    let boots = Duration::from_millis(self.random.random_range(200..4_000));
                    self.later(boots, Event::Mend(Fault::Camera(camera, Sight::Boots)));
                }
                _ => self.turns(camera, Sight::Well),
            },
            Fault::Camera(..) | Fault::Cut | Fault::Jump(_) => {}
            Fault::Kill => self.starts(),
            Fault::Broker => self.net.is_broker_up = true,
            Fault::Mute => self.net.is_mute = false,
            Fault::Way(_) => self.net.way = Way::Open,
            Fault::Slow(_) => self.net.slow_ms = 20,
            Fault::Disk(_) => {
                let now = self.now();
                let mut platter = self.disk.platter();
                (platter.mood, platter.mended) = (Mood::Well, now);
            }
            Fault::Commits(_) => self.commit = Duration::from_millis(6),
        }
    }

    /// Everything is mended.
    pub(crate) fn evening(&mut self) {
        self.is_evening = true;
        for camera in 0..self.devices.len() {
            let sight = self.devices[camera].sight;
            if sight != Sight::Well {
                self.turns(camera, Sight::Well);
            }
        }
        for fault in
            [Fault::Kill, Fault::Broker, Fault::Mute, Fault::Way(Way::Open), Fault::Slow(0), Fault::Disk(Mood::Well)]
        {
            self.mends(fault);
        }
        self.mends(Fault::Commits(0));
    }

    /// What must hold at all times, looked at once a second.
    pub(crate) fn looks(&mut self) -> Result<(), Violation> {
        self.later(Duration::from_secs(1), Event::Look);
        self.bounds()?;
        let now = self.now();
        let Some(life) = &self.life else { return Ok(()) };
        if let Some(relieved) = self.relieved.filter(|at| (RECOVERS..2 * RECOVERS).contains(&(now - *at))) {
            let is_theirs = |device: &&Device| device.sight == Sight::Well && device.seen > relieved;
            let late = self
                .devices
                .iter()
                .filter(is_theirs)
                .find(|device| device.seen.saturating_sub(device.looked) > RECOVERS);
            if late.is_some() || life.identifying.input.len() > 1 {
                return Err(
                    self.violation("recovery", "two seconds after the load has gone, infer is still behind".to_owned())
                );
            }
        }
        for (camera, device) in self.devices.iter().enumerate().filter(|(_, device)| device.sight == Sight::Well) {
            let since = device.well_since.max(life.clock.born).max(device.seen);
            // Of a camera that never gave this process a picture it is not known how long one takes.
            let within = if device.seen >= life.clock.born { FRAMES_WITHIN } else { FIRST_FRAME_WITHIN };
            if now - since > within {
                let says = format!(
                    "camera {camera} can give pictures, and usher has had none for {} ms",
                    (now - since).as_millis()
                );
                return Err(self.violation("frames", says));
            }
        }
        Ok(())
    }
}

/// A connection that nothing comes back over is noticed by then, though nothing is sent: two pings, five seconds apart.
const PINGS: Duration = Duration::from_secs(10);

/// What was promised of an overload that is over.
const RECOVERS: Duration = Duration::from_secs(2);

/// What was promised of a camera that is well.
const FRAMES_WITHIN: Duration = Duration::from_secs(10);
const FIRST_FRAME_WITHIN: Duration = Duration::from_secs(15);
