//! People of a rendered hall: who they are, and how they walk.
//!
//! Groups of up to four walk abreast, both ways at once. One party in twenty turns back beyond the line, one in ten stops
//! before it, one in twenty-five walks along it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use usher_models::image::Size;

/// The picture, pixels.
pub(crate) const SIZE: Size = Size { width: 640, height: 360 };
/// The line, as a part of the height.
pub(crate) const LINE: f32 = 0.6;
/// Height of a grown person on the line, as a part of the picture's.
pub(crate) const PERSON: f32 = 0.22;

/// How a camera looks at the hall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Angle {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Down from the horizon, degrees.
    pub(crate) down: f32,
    /// Where people's heads and feet meet, pixels below the upper edge: the horizon.
    horizon: f32,
}

/// High up, looking down steeply.
pub(crate) const STEEP: Angle = Angle { name: "steep", down: 45.0, horizon: -180.0 };
/// Looking along the hall: with the same lens the horizon is just above the picture.
pub(crate) const FLAT: Angle = Angle { name: "flat", down: 28.0, horizon: -11.0 };

impl Angle {
    /// Height of a grown person whose feet are at `y`, pixels.
    pub(crate) fn height_at(&self, y: f32) -> f32 {
        let line = LINE * SIZE.height as f32;
        PERSON * SIZE.height as f32 * (y - self.horizon) / (line - self.horizon)
    }

    /// How long a step along the hall looks beside one across, both in heights of whoever walks.
    fn along(&self) -> f32 {
        self.down.to_radians().tan()
    }

    /// How wide people look for their height: 1 where they are seen at 45 degrees.
    pub(crate) fn breadth(&self) -> f32 {
        45f32.to_radians().cos() / self.down.to_radians().cos()
    }
}

/// Somebody's way: places of their feet over time, straight between them.
pub(crate) struct Walker {
    /// When they come, seconds.
    pub(crate) begins: f32,
    /// Seconds, x and y of the feet, pixels.
    pub(crate) way: Vec<(f32, f32, f32)>,
    /// Height beside a grown person's.
    pub(crate) tall: f32,
    /// Grey levels of what they wear and of their hair.
    pub(crate) coat: f32,
    /// The same.
    pub(crate) legs: f32,
    /// The same.
    pub(crate) hair: f32,
    /// How far down a coat reaches, heights above the floor.
    pub(crate) hem: f32,
    /// A bag at a side: -1, 1, or 0 for none; and how bright.
    pub(crate) bag: (f32, f32),
    /// A case pulled behind.
    pub(crate) case: bool,
    /// Steps a second, and where in a step they begin.
    pub(crate) gait: f32,
    /// The same, radians.
    pub(crate) phase: f32,
    /// 1 in, -1 out, 0 neither.
    pub(crate) truth: i32,
}

impl Walker {
    /// Where their feet are at `now`.
    pub(crate) fn at(&self, now: f32) -> Option<(f32, f32)> {
        let t = now - self.begins;
        let next = self.way.iter().position(|(at, ..)| *at > t)?;
        let ((t0, x0, y0), (t1, x1, y1)) = (*self.way.get(next.checked_sub(1)?)?, self.way[next]);
        let part = (t - t0) / (t1 - t0);
        Some((x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
    }

    /// When they have left.
    pub(crate) fn ends(&self) -> f32 {
        self.begins + self.way.last().map_or(0.0, |last| last.0)
    }

    fn dressed(dice: &mut ChaCha8Rng, begins: f32, way: Vec<(f32, f32, f32)>, truth: i32) -> Self {
        let is_child = dice.random::<f32>() < 0.05;
        let is_long = dice.random::<f32>() < 0.25;
        let has_bag = dice.random::<f32>() < 0.2;
        Self {
            begins,
            way,
            tall: if is_child { dice.random_range(0.68..0.8) } else { dice.random_range(0.9..1.08) },
            // A third wear what the floor looks like.
            coat: [38.0, 60.0, 95.0, 118.0, 150.0, 200.0][dice.random_range(0..6)] + dice.random_range(-8.0..8.0),
            legs: [30.0, 48.0, 75.0, 128.0][dice.random_range(0..4)] + dice.random_range(-6.0..6.0),
            hair: dice.random_range(25.0..110.0),
            hem: if is_long { dice.random_range(0.1..0.3) } else { 0.42 },
            bag: if has_bag {
                (if dice.random() { 1.0 } else { -1.0 }, dice.random_range(30.0..190.0))
            } else {
                (0.0, 0.0)
            },
            case: dice.random::<f32>() < 0.06,
            gait: dice.random_range(1.6..2.1),
            phase: dice.random_range(0.0..std::f32::consts::TAU),
            truth,
        }
    }
}

/// What a party means to do.
struct Plan {
    kind: f32,
    goes_in: bool,
    /// Where along the border they enter and leave the picture, pixels.
    x: (f32, f32),
    /// Heights a second.
    pace: f32,
    /// How far beyond the line they turn back, pixels.
    depth: f32,
    waits: f32,
}

/// Everybody of some minutes, `rate` a minute.
pub(crate) fn crowd(dice: &mut ChaCha8Rng, angle: &Angle, rate: f32, minutes: f32) -> Vec<Walker> {
    let (width, height) = (SIZE.width as f32, SIZE.height as f32);
    let (mut walkers, mut now) = (Vec::new(), 6.0);
    loop {
        let group = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4][dice.random_range(0..10)];
        now += -(1.0 - dice.random::<f32>()).ln() * 60.0 * group as f32 / rate;
        if now > 60.0 * minutes {
            return walkers;
        }
        let plan = Plan {
            kind: dice.random(),
            goes_in: dice.random::<f32>() < 0.72,
            x: (dice.random_range(0.2..0.8) * width, dice.random_range(0.2..0.8) * width),
            pace: dice.random_range(0.7..1.0),
            depth: dice.random_range(0.1..0.25) * height * angle.along(),
            waits: dice.random_range(0.0..1.2),
        };
        let apart = dice.random_range(0.36..0.55) * angle.breadth();
        let leaves_left: bool = dice.random();
        for member in 0..group {
            let side = (member as f32 - (group - 1) as f32 / 2.0) * apart;
            let behind = dice.random_range(-0.05..0.05) * height * angle.along();
            let (way, truth) = if plan.kind > 0.96 {
                (beside(angle, &plan, behind, member as f32 * 0.5, leaves_left), 0)
            } else {
                across(angle, &plan, side, behind)
            };
            let begins = now + dice.random_range(0.0..0.15);
            walkers.push(Walker::dressed(dice, begins, way, truth));
        }
    }
}

/// Along the line, on one side of it.
fn beside(angle: &Angle, plan: &Plan, behind: f32, late: f32, leaves_left: bool) -> Vec<(f32, f32, f32)> {
    let width = SIZE.width as f32;
    let y = if plan.goes_in { 0.44 } else { 0.84 } * SIZE.height as f32 + behind;
    let speed = angle.height_at(y) * 0.8 * angle.breadth();
    let (from, to) = if leaves_left { (width + 40.0, -40.0) } else { (-40.0, width + 40.0) };
    vec![(late, from, y), (late + (width + 80.0) / speed, to, y)]
}

/// Over the line, or back before the end; and which way that counts.
fn across(angle: &Angle, plan: &Plan, side: f32, behind: f32) -> (Vec<(f32, f32, f32)>, i32) {
    let height = SIZE.height as f32;
    let (far, near) = (0.26 * height, 1.34 * height + (angle.height_at(1.34 * height) - 0.4 * height).max(0.0));
    let turns = plan.kind < 0.05;
    // Sideways in heights of whoever is there, since the hall has perspective.
    let place = |part: f32| {
        let y = far + part * (near - far) + behind;
        (plan.x.0 + part * (plan.x.1 - plan.x.0) + side * angle.height_at(y), y)
    };
    let line = (LINE * height - far) / (near - far);
    let parts: Vec<(f32, f32)> = if turns {
        vec![(0.0, 0.0), (line + plan.depth / (near - far), plan.waits), (0.0, 0.0)]
    } else if plan.kind < 0.15 {
        // Stops before the line, then goes on.
        vec![(0.0, 0.0), (line - 0.12, 2.0 * plan.waits), (1.0, 0.0)]
    } else {
        vec![(0.0, 0.0), (1.0, 0.0)]
    };
    let upside = |part: f32| if plan.goes_in || turns { part } else { 1.0 - part };
    let (mut way, mut t, mut last): (Vec<(f32, f32, f32)>, f32, Option<f32>) = (Vec::new(), 0.0, None);
    for (part, rest) in parts {
        let part = upside(part);
        let (x, y) = place(part);
        if let Some(last) = last {
            const STEPS: i32 = 12;
            for step in 1..=STEPS {
                let at = |step: i32| place(last + (part - last) * step as f32 / STEPS as f32);
                let ((xa, ya), (xb, yb)) = (at(step - 1), at(step));
                let across = 0.9 * (xb - xa) / angle.breadth();
                let along = (yb - ya) / angle.along();
                t += across.hypot(along) / (plan.pace * angle.height_at((ya + yb) / 2.0));
                way.push((t, xb, yb));
            }
        } else {
            way.push((t, x, y));
        }
        if rest > 0.0 {
            t += rest;
            way.push((t, x, y));
        }
        last = Some(part);
    }
    let truth = match (turns, plan.goes_in) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => -1,
    };
    (way, truth)
}
