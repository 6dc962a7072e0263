//! What is known of a queue, as a cloud of guesses (a particle filter).
//!
//! A guess is a length, a service rate, and by how much the two counts differ. Each step moves all guesses by what was
//! counted, weighs them by how well they explain it, and now and then replaces the poor ones by copies of the good ones
//! (sequential importance resampling: Gordon, Salmond, Smith 1993). Two explanations of the same counts live side by side
//! until one fails: slow lanes with a queue, or quick lanes that wait for people. A Kalman filter could not hold both.

use crate::flow::{
    queue::fans::{quantile, weighted},
    told::Estimate,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Guesses. Twice as many change the P95 error of the wait by less than a second.
const GUESSES: usize = 512;
/// What a lane serves a minute where nobody knows, with its spread (logarithm): bag checks to ticket readers.
const UNKNOWN_RATE: (f64, f64) = (9.0, 0.6);
/// How far the venue's own figure may be off (logarithm).
const KNOWN_RATE: f64 = 0.2;
/// How much a rate wanders in a minute (logarithm).
const RATE_WANDERS: f64 = 0.012;
/// How far the mean rate of the next ten minutes may be from the last one's (logarithm).
const RATE_STRAYS: f64 = 0.045;
/// How far the cameras at the back and at the gate may differ (logarithm), and how much that wanders in a minute.
const CAMERAS_DIFFER: (f64, f64) = (0.012, 0.0004);
/// Variance of a camera's count, as a share of it.
const MISCOUNTED: f64 = 0.03;
/// Squared coefficient of variation of one service.
const SERVICE_VARIES: f64 = 0.5;
/// The same of the times between arrivals: people come in groups.
const ARRIVALS_VARY: f64 = 2.5;
/// Lanes busier than this are taken for this: within a minute no longer queue could form.
const BUSIEST: f64 = 0.92;
/// How far the rate of arrivals wanders in a minute in which nobody sees them (logarithm), and variance to mean of their count.
const UNSEEN: (f64, f64) = (0.08, 2.0);
/// Minutes after which the rate of arrivals has forgotten.
const RATE_OF_ARRIVALS: f64 = 5.0;
/// A queue of this part of what its lanes serve in a step has surely kept them busy throughout.
const SURELY: f64 = 0.3;
/// How much better an empty queue must explain what was counted before it is considered (logarithm).
const DOUBTS: f64 = 12.0;
/// How far below zero a balance may be carried. Cut off at zero, errors of both signs would add up to people who are not there;
/// let go on, a camera that counts too many out would hide the next queue.
const OVERDRAWN: f64 = 6.0;
/// Whoever looks first at a gate may find a queue: how often, and of how many (mean of an exponential law).
const FOUND: (f64, f64) = (0.25, 60.0);

/// What happened in a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Its length.
    pub minutes: f64,
    /// Who came to the back, less who turned back.
    pub arrived: Option<f64>,
    /// Who went through.
    pub served: Option<f64>,
    /// Lanes open.
    pub open: u32,
}

/// One guess.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    /// People from the back of the queue to the gate; a little below zero where more were counted out than in.
    balance: f64,
    /// Logarithm of people a minute and lane.
    rate: f64,
    /// Logarithm of true arrivals per counted one, in counted departures.
    differ: f64,
    /// Logarithm of the rate of arrivals against the last one seen.
    unseen: f64,
    weight: f64,
}

impl Guess {
    /// People from the back of the queue to the gate.
    pub(super) fn length(&self) -> f64 {
        self.balance.max(0.0)
    }

    /// People a minute and lane.
    pub(super) fn rate(&self) -> f64 {
        self.rate.exp()
    }

    /// What a counted arrival stands for.
    pub(super) fn per_arrival(&self) -> f64 {
        self.differ.exp()
    }

    /// Seconds until whoever comes to the back now is through, at `open` lanes; a day where none is open and people stand.
    pub(super) fn wait_seconds(&self, open: u32) -> f64 {
        if open == 0 {
            return 86_400.0;
        }
        let lanes = f64::from(open);
        // They are the last of `length + 1`; nobody is through sooner than one service takes.
        (60.0 * (self.length() + 1.0).max(lanes) / (lanes * self.rate())).min(86_400.0)
    }
}

/// The guesses of one gate.
#[derive(Clone, Debug)]
pub(super) struct Cloud {
    guesses: Vec<Guess>,
    /// People a minute who came lately.
    arrivals: Option<f64>,
    /// Middle and spread of a lane's rate (logarithm) before anybody queued.
    believed: (f64, f64),
    /// People a minute who are expected to come now, where somebody forecasts them.
    pub(super) expected: Option<f64>,
    /// How much better "nobody waits" has explained what was counted, lately (logarithm).
    doubts: f64,
    random: ChaCha8Rng,
}

impl Cloud {
    pub(super) fn new(open: u32, rate: Option<f64>) -> Self {
        // One seed for all gates and runs: the same counts give the same figures.
        let mut random = ChaCha8Rng::seed_from_u64(26);
        let (middle, spread) = match rate {
            Some(rate) if rate > 0.0 => (rate, KNOWN_RATE),
            _ => UNKNOWN_RATE,
        };
        let mut mirrored = 0.0;
        let guesses = (0..GUESSES).map(|place| {
            // In pairs: a middle that luck moves off nought would be people who are not there, at all gates alike.
            mirrored = if place % 2 == 0 { CAMERAS_DIFFER.0 * normal(&mut random) } else { -mirrored };
            let found = random.random_bool(FOUND.0);
            let length = if found { -FOUND.1 * random.random_range(1e-9..1.0_f64).ln() } else { f64::from(open) * 0.2 };
            let rate = middle.ln() + spread * normal(&mut random);
            Guess { balance: length, rate, differ: mirrored, unseen: 0.0, weight: 1.0 / GUESSES as f64 }
        });
        let guesses = guesses.collect();
        Self { guesses, arrivals: None, believed: (middle.ln(), spread), expected: None, doubts: 0.0, random }
    }

    /// Lets a step pass.
    pub(super) fn step(&mut self, seen: &Seen) {
        let (minutes, lanes) = (seen.minutes, f64::from(seen.open));
        let usual = self.mean(Guess::rate);
        let before = self.mean(Guess::length);
        let coming = self.expected.or(self.arrivals).unwrap_or_else(|| seen.served.unwrap_or(0.0) / minutes);
        let root = minutes.sqrt();
        let (believed, random) = (self.believed, &mut self.random);
        for guess in &mut self.guesses {
            // Both wander, and are drawn home slowly, so that a night in which nobody came leaves what was known before.
            let home = (RATE_WANDERS / believed.1).powi(2) / 2.0 * minutes;
            guess.rate += home * (believed.0 - guess.rate) + RATE_WANDERS * root * normal(random);
            let home = (CAMERAS_DIFFER.1 / CAMERAS_DIFFER.0).powi(2) / 2.0 * minutes;
            guess.differ += CAMERAS_DIFFER.1 * root * normal(random) - home * guess.differ;
            let arrived = match seen.arrived {
                Some(arrived) => {
                    guess.unseen = 0.0;
                    arrived * guess.per_arrival() + (MISCOUNTED * arrived.abs()).sqrt() * normal(random)
                }
                None => {
                    guess.unseen += UNSEEN.0 * root * normal(random);
                    let mean = coming * minutes * guess.unseen.exp();
                    (mean + (UNSEEN.1 * mean).sqrt() * normal(random)).max(0.0)
                }
            };
            let capacity = lanes * guess.rate() * minutes;
            let (was, whole) = (guess.balance, guess.balance + arrived);
            match seen.served {
                None => {
                    let could = (capacity + (SERVICE_VARIES * capacity).sqrt() * normal(random)).max(0.0);
                    guess.balance = (whole - could).max(0.0);
                }
                Some(served) => {
                    let left = whole - served - (MISCOUNTED * served).sqrt() * normal(random);
                    guess.balance = left.max(-OVERDRAWN);
                    guess.weight *= fits(&Step { minutes, lanes, served, usual }, was, left, arrived, guess.rate());
                }
            }
        }
        let explained = self.settle(seen, before);
        self.doubt(seen, usual, explained);
        let counted = seen.arrived.map(|arrived| arrived.max(0.0) / minutes);
        if let Some(counted) = counted {
            let keep = (-minutes / RATE_OF_ARRIVALS).exp();
            self.arrivals = Some(self.arrivals.map_or(counted, |old| keep * old + (1.0 - keep) * counted));
        }
    }

    /// Whether all of it is a mistake, and nobody waits. A gap, or a camera that went astray, can leave a cloud of long queues
    /// at lanes that seem slow; it would never think of an empty queue by itself. So the plain thought "whoever comes is through
    /// at once" runs along (a cumulative sum of how much better it explains what was counted: Page 1954), and once it is
    /// better by far, half of the guesses follow it.
    fn doubt(&mut self, seen: &Seen, usual: f64, explained: f64) {
        let (Some(arrived), Some(served)) = (seen.arrived, seen.served) else { return };
        let capacity = f64::from(seen.open) * seen.minutes * usual.max(self.believed.0.exp());
        let inside = (arrived.max(0.0) / capacity.max(1e-9)).min(1.0) * f64::from(seen.open);
        let variance = 2.0 * (inside + 1.0) + MISCOUNTED * (arrived.abs() + served) + 1.0;
        let dry = (-0.5 * (served - arrived).powi(2) / variance).exp() / variance.sqrt();
        let better = (dry.max(1e-30) / explained.max(1e-30)).ln().min(4.0);
        self.doubts = (self.doubts + better - 0.3).max(0.0);
        if self.doubts < DOUBTS {
            return;
        }
        self.doubts = 0.0;
        let ((middle, spread), random) = (self.believed, &mut self.random);
        for guess in self.guesses.iter_mut().step_by(2) {
            guess.balance = inside + normal(random);
            guess.rate = middle + spread * normal(random);
        }
    }

    /// The queue was counted.
    pub(super) fn count(&mut self, people: f64, spread: f64) {
        let near = |length: f64| (-0.5 * ((length - people) / spread).powi(2)).exp();
        let whole: f64 = self.guesses.iter().map(|guess| guess.weight * near(guess.length())).sum();
        if whole < 0.01 {
            // Hardly anybody guessed it: the count is believed, everything else that was learnt stays.
            let random = &mut self.random;
            self.guesses.iter_mut().for_each(|guess| guess.balance = (people + spread * normal(random)).max(0.0));
        } else {
            self.guesses.iter_mut().for_each(|guess| guess.weight *= near(guess.length()));
            self.resample();
        }
    }

    /// Weights that add up again; poor guesses replaced. How well the cloud explained the step (a density).
    fn settle(&mut self, seen: &Seen, before: f64) -> f64 {
        let whole: f64 = self.guesses.iter().map(|guess| guess.weight).sum();
        if !(whole.is_finite() && whole > 1e-200) {
            // Nobody explains what was counted (a lane more than anybody knew, a flood of miscounts). What was counted stands;
            // rates are opened up, so that some will.
            let random = &mut self.random;
            let moved = seen.arrived.unwrap_or(0.0) - seen.served.unwrap_or(0.0);
            for guess in &mut self.guesses {
                guess.weight = 1.0 / GUESSES as f64;
                guess.rate += 0.3 * normal(random);
                let length = if random.random_bool(0.8) { before + moved } else { 0.0 };
                guess.balance = (length + (1.0 + 0.1 * before) * normal(random)).max(0.0);
            }
            return 0.0;
        }
        let mut squares = 0.0;
        for guess in &mut self.guesses {
            guess.weight /= whole;
            squares += guess.weight * guess.weight;
        }
        if squares * GUESSES as f64 > 2.0 {
            self.resample();
        }
        whole
    }

    /// Systematic resampling (Kitagawa 1996): as many copies of each as its weight is worth; in the order of how cameras differ, so
    /// that luck moves least what is learnt slowest and adds up over all who come.
    fn resample(&mut self) {
        self.guesses.sort_unstable_by(|a, b| a.differ.total_cmp(&b.differ));
        let each = self.guesses.iter().map(|guess| guess.weight).sum::<f64>() / GUESSES as f64;
        let mut mark = each * self.random.random_range(0.0..1.0);
        let (mut sum, mut copies) = (0.0, Vec::with_capacity(GUESSES));
        for guess in &self.guesses {
            sum += guess.weight;
            while mark < sum && copies.len() < GUESSES {
                copies.push(*guess);
                mark += each;
            }
        }
        while copies.len() < GUESSES {
            copies.push(copies.last().copied().unwrap_or(self.guesses[0]));
        }
        let random = &mut self.random;
        for guess in &mut copies {
            guess.weight = 1.0 / GUESSES as f64;
            // Copies part again, by less than anything that is measured.
            guess.rate += 0.004 * normal(random);
            guess.differ += 0.0003 * normal(random);
        }
        self.guesses = copies;
    }

    /// The 80 % interval and middle of something.
    pub(super) fn estimate(&self, of: impl Fn(&Guess) -> f64) -> Estimate {
        let sorted = weighted(self.guesses.iter().map(|guess| (of(guess), guess.weight)).collect());
        let at = |share| quantile(&sorted, share);
        Estimate { value: at(0.5), low: at(0.1), high: at(0.9) }
    }

    /// The wait of whoever comes now, seconds: what the guesses say, and what chance does to the services before them.
    pub(super) fn wait(&self, open: u32) -> Estimate {
        if open == 0 {
            let seconds = self.estimate(|guess| guess.wait_seconds(0)).value;
            return Estimate { value: seconds, low: seconds, high: seconds };
        }
        // The same chances each time, so that the figure moves with what is known and not by itself.
        let mut random = ChaCha8Rng::seed_from_u64(62);
        let mut waits = Vec::with_capacity(GUESSES);
        for guess in &self.guesses {
            let (seconds, lanes) = (guess.wait_seconds(open), f64::from(open));
            // Chance evens out over the many who are served before them, and does not in their own service, which is a part of
            // the wait: at a short queue the larger one.
            let all = (guess.length() + 1.0).max(lanes);
            let services = SERVICE_VARIES * (all - lanes + lanes * lanes) / (all * all);
            let goes_on = services + RATE_STRAYS.powi(2) * (seconds / 600.0).min(1.0);
            waits.push((seconds * (goes_on.sqrt() * normal(&mut random) - goes_on / 2.0).exp(), guess.weight));
        }
        let sorted = weighted(waits);
        let at = |share| quantile(&sorted, share).min(86_400.0);
        Estimate { value: at(0.5), low: at(0.1), high: at(0.9) }
    }

    /// Mean length and mean rate of one lane: what Little's law is asked with.
    pub(super) fn middle(&self) -> (f64, f64) {
        (self.mean(Guess::length), self.mean(Guess::rate))
    }

    /// People a minute and lane as they were believed before anybody queued, and the most that a lane can be thought to let in.
    pub(super) fn believed(&self) -> (f64, f64) {
        let (middle, spread) = self.believed;
        (middle.exp(), (middle + 2.5 * spread).exp())
    }

    /// `paths` guesses, each as often as its weight is worth.
    pub(super) fn drawn(&self, paths: usize) -> Vec<Guess> {
        let mut sum = 0.0;
        let mut drawn = Vec::with_capacity(paths);
        for guess in &self.guesses {
            sum += guess.weight;
            while drawn.len() < paths && (drawn.len() as f64 + 0.5) / (paths as f64) < sum {
                drawn.push(*guess);
            }
        }
        while drawn.len() < paths {
            drawn.push(self.guesses[GUESSES - 1]);
        }
        drawn
    }

    fn mean(&self, of: impl Fn(&Guess) -> f64) -> f64 {
        self.guesses.iter().map(|guess| guess.weight * of(guess)).sum()
    }
}

/// How well a guess explains that so many were served. `left` may be below zero: more went than there were.
fn fits(step: &Step, was: f64, left: f64, arrived: f64, rate: f64) -> f64 {
    let Step { minutes, lanes, served, usual } = *step;
    let between = f64::midpoint(was, left).max(0.0);
    let miscounted = MISCOUNTED * (served + arrived.abs());
    let usually = lanes * minutes * usual;
    let (off, variance) = if between <= 1.5 * lanes {
        // Lanes wait for people: whoever came is through, but for those in service (arrivals a minute times minutes of
        // service). A lane that waits says nothing of how fast it is, so the cloud's rate counts and nothing is learnt.
        let inside = (arrived.max(0.0) / (usual * minutes)).min(lanes);
        let load = if lanes > 0.0 { inside / lanes } else { 1.0 };
        let stand = stand(load, lanes);
        (left - inside - stand, (inside + 1.0) * (1.0 + 2.0 * load) + stand * stand + miscounted)
    } else if was.min(left) < lanes + SURELY * usually {
        // A few wait: perhaps not all the time. Again nothing is learnt.
        let mean = 0.9 * usually;
        (served - mean, SERVICE_VARIES * mean + (0.2 * mean).powi(2) + miscounted + 0.5)
    } else {
        // People wait: the lanes work as fast as they can, and that is when one learns how fast.
        let mean = lanes * minutes * rate;
        (served - mean, SERVICE_VARIES * mean + (0.05 * mean).powi(2) + miscounted + 0.5)
    };
    (-0.5 * off * off / variance).exp() / variance.sqrt()
}

/// People who stand before lanes that wait for people now and then, on average, of lanes so busy (0..=1): they come in groups, so that
/// some stand long before all lanes are busy. Sakasegawa's approximation (1977) of the queue of many lanes.
fn stand(load: f64, lanes: f64) -> f64 {
    let load = load.min(BUSIEST);
    (ARRIVALS_VARY + SERVICE_VARIES) / 2.0 * load.powf((2.0 * (lanes + 1.0)).sqrt()) / (1.0 - load)
}

/// What all guesses of a step share.
#[derive(Clone, Copy)]
struct Step {
    minutes: f64,
    lanes: f64,
    served: f64,
    /// What a lane serves a minute, as the whole cloud has it.
    usual: f64,
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}
