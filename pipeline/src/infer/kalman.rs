//! A Kalman filter over the box of a face, constant velocity.
//!
//! State: centre x, centre y, width, height, and the speed of each (pixels and pixels per second). Noise grows with the
//! height of the face, as in SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022), but per second instead of per
//! frame: a gate's frames come as fast as the box can analyse them, not at a fixed rate.

use nalgebra::{SMatrix, SVector};
use std::time::Duration;
use usher_models::image::Rect;

/// How boxes of a kind behave.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Standard deviation of a measured box, as a share of its height.
    pub measured: f32,
    /// Standard deviation of the speed's change in one second, in heights per second.
    pub restless: f32,
}

/// Faces. Measured: YuNet's box of a still face moves by about a twentieth of its height between renditions of one picture. A
/// walking person who stops changes by about one head a second.
pub const FACES: Manner = Manner { measured: 1.0 / 20.0, restless: 1.5 };

type State = SVector<f32, 8>;
type Spread = SMatrix<f32, 8, 8>;

/// Where a face is believed to be, and how surely.
#[derive(Clone, Debug)]
pub struct Kalman {
    state: State,
    spread: Spread,
    manner: Manner,
}

fn measured(rect: &Rect) -> SVector<f32, 4> {
    let centre = rect.centre();
    SVector::from([centre.x, centre.y, rect.width.max(1.0), rect.height.max(1.0)])
}

impl Kalman {
    /// A face first seen at `rect`, speed unknown.
    pub fn new(rect: &Rect, manner: Manner) -> Self {
        let height = rect.height.max(1.0);
        let place = (2.0 * manner.measured * height).powi(2);
        let speed = (manner.restless.max(0.5) * height).powi(2);
        let mut state = State::zeros();
        state.fixed_rows_mut::<4>(0).copy_from(&measured(rect));
        let spread = Spread::from_diagonal(&State::from([place, place, place, place, speed, speed, speed, speed]));
        Self { state, spread, manner }
    }

    /// Lets `passed` go by.
    pub fn predict(&mut self, passed: Duration) {
        let dt = passed.as_secs_f32().min(2.0);
        let mut step = Spread::identity();
        for i in 0..4 {
            step[(i, i + 4)] = dt;
        }
        let push = (self.manner.restless * self.state[3].max(1.0)).powi(2);
        // White noise on the acceleration, integrated over `dt`.
        let mut noise = Spread::zeros();
        for i in 0..4 {
            noise[(i, i)] = push * dt.powi(3) / 3.0;
            noise[(i, i + 4)] = push * dt.powi(2) / 2.0;
            noise[(i + 4, i)] = noise[(i, i + 4)];
            noise[(i + 4, i + 4)] = push * dt;
        }
        self.state = step * self.state;
        self.spread = step * self.spread * step.transpose() + noise;
        self.state[2] = self.state[2].max(1.0);
        self.state[3] = self.state[3].max(1.0);
    }

    /// Takes a measurement in.
    pub fn correct(&mut self, rect: &Rect) {
        let doubt = (self.manner.measured * rect.height.max(1.0)).powi(2);
        let seen = SMatrix::<f32, 4, 8>::identity();
        let innovation = measured(rect) - seen * self.state;
        let common = seen * self.spread * seen.transpose() + SMatrix::<f32, 4, 4>::identity() * doubt;
        // A covariance plus a positive diagonal always has an inverse; should rounding say otherwise, start afresh.
        let Some(inverse) = common.try_inverse() else {
            *self = Self::new(rect, self.manner);
            return;
        };
        let gain = self.spread * seen.transpose() * inverse;
        self.state += gain * innovation;
        self.spread = (Spread::identity() - gain * seen) * self.spread;
    }

    /// The believed box, frame pixels.
    pub fn rect(&self) -> Rect {
        let [x, y, width, height] = [self.state[0], self.state[1], self.state[2], self.state[3]];
        Rect { x: x - width / 2.0, y: y - height / 2.0, width, height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_walk_is_foreseen() {
        let at = |t: f32| Rect { x: 100.0 + 60.0 * t, y: 50.0, width: 40.0, height: 50.0 };
        let mut kalman = Kalman::new(&at(0.0), FACES);
        for i in 1..=20 {
            kalman.predict(Duration::from_millis(100));
            kalman.correct(&at(i as f32 * 0.1));
        }
        kalman.predict(Duration::from_millis(500));
        let error = kalman.rect().centre().x - at(2.5).centre().x;
        assert!(error.abs() < 3.0, "off by {error} px");
    }

    #[test]
    fn a_long_silence_keeps_every_number_finite() {
        let mut kalman = Kalman::new(&Rect { x: 0.0, y: 0.0, width: 0.0, height: 0.0 }, FACES);
        for _ in 0..1000 {
            kalman.predict(Duration::from_secs(3600));
        }
        kalman.correct(&Rect { x: 5.0, y: 5.0, width: 10.0, height: 10.0 });
        let rect = kalman.rect();
        assert!([rect.x, rect.y, rect.width, rect.height].iter().all(|v| v.is_finite()));
    }
}
