//! Where somebody goes: a Kalman filter of their feet, constant velocity, alike both ways.

/// Standard deviation of measured feet, in heights of whoever is measured.
const MEASURED: f32 = 0.035;
/// Standard deviation of a speed's change in one second, heights a second.
const RESTLESS: f32 = 0.6;
/// Standard deviation of the speed of somebody who has just appeared, heights a second.
const APPEARS: f32 = 0.7;

/// Feet and their speed, pixels and pixels a second.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Where, from the left and from above.
    pub at: [f32; 2],
    /// How fast.
    pub speed: [f32; 2],
    /// Variances of place and speed, and what they share; of both ways.
    place: f32,
    common: f32,
    pace: f32,
}

impl Walk {
    /// Somebody `height` pixels high appears.
    pub fn new(at: [f32; 2], height: f32) -> Self {
        Self { at, speed: [0.0; 2], place: (MEASURED * height).powi(2), common: 0.0, pace: (APPEARS * height).powi(2) }
    }

    /// Lets `passed` seconds go by.
    pub fn go(&mut self, passed: f32, height: f32) {
        for way in 0..2 {
            self.at[way] += passed * self.speed[way];
        }
        let push = (RESTLESS * height).powi(2);
        self.place += passed * (2.0 * self.common + passed * self.pace) + push * passed.powi(3) / 3.0;
        self.common += passed * self.pace + push * passed.powi(2) / 2.0;
        self.pace += push * passed;
    }

    /// Standard deviation of the place, pixels.
    pub fn doubt(&self) -> f32 {
        self.place.max(0.0).sqrt()
    }

    /// Takes measured feet in; `share` of somebody was seen.
    pub fn measure(&mut self, at: [f32; 2], height: f32, share: f32) {
        let noise = (MEASURED * height).powi(2) / share.clamp(0.1, 1.0);
        let whole = self.place + noise;
        let (of_place, of_speed) = (self.place / whole, self.common / whole);
        for ((place, speed), seen) in self.at.iter_mut().zip(&mut self.speed).zip(at) {
            let off = seen - *place;
            *place += of_place * off;
            *speed += of_speed * off;
        }
        self.pace -= of_speed * self.common;
        self.common *= 1.0 - of_place;
        self.place *= 1.0 - of_place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_walk_is_foreseen_though_unseen_for_a_second() {
        let mut walk = Walk::new([100.0, 50.0], 40.0);
        for i in 1..=24 {
            walk.go(1.0 / 12.0, 40.0);
            walk.measure([100.0 + 2.5 * i as f32, 50.0 + i as f32], 40.0, 1.0);
        }
        let sure = walk.doubt();
        (0..12).for_each(|_| walk.go(1.0 / 12.0, 40.0));
        let off = (walk.at[0] - 190.0).hypot(walk.at[1] - 86.0);
        assert!(off < 3.0, "off by {off}");
        assert!(walk.doubt() > 3.0 * sure, "{} is no more than {sure}", walk.doubt());
    }

    #[test]
    fn a_glimpse_moves_less_than_a_whole_view() {
        let moved = |share: f32| {
            let mut walk = Walk::new([0.0, 0.0], 40.0);
            walk.go(0.1, 40.0);
            walk.measure([8.0, 0.0], 40.0, share);
            walk.at[0]
        };
        assert!(moved(0.2) < moved(1.0));
    }
}
