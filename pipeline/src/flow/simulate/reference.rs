//! A plain forecast of simulated arrivals whose intervals are right by construction: what projections are judged with.
//!
//! It knows what a venue knows beforehand (kick-offs, the attendance announced, when people usually come) and corrects it by
//! what came in the last three quarters of an hour. Its intervals are the errors it made on other days. So a projection that is
//! wrong is wrong by itself, not for want of a good forecast.

use crate::flow::{
    simulate::{GateDays, Settings, Simulated, arrivals, simulate},
    told::Fan,
};

/// Minutes in a bin of its errors, as forecasts are made in bins.
pub(super) const BIN: usize = 5;
/// Minutes that the correction looks back, people that it takes for granted, minutes within which it is forgotten.
const CORRECTION: (usize, f64, f64) = (45, 40.0, 60.0);
/// Bounds between quiet and busy: people a minute.
const LEVELS: [f64; 3] = [6.0, 25.0, 60.0];
/// Minutes ahead at which errors are gathered.
const AHEAD: [usize; 5] = [5, 15, 30, 60, 90];

/// What it learnt: quantiles of truth over forecast, by minutes ahead and level.
#[derive(Clone, Debug)]
pub struct Reference {
    ratios: Vec<[[f64; 5]; 4]>,
}

impl Reference {
    /// Learns from days of its own: those of the seeds given.
    pub fn learnt(seeds: impl IntoIterator<Item = u64>) -> Self {
        let mut found = vec![[const { Vec::new() }; 4]; AHEAD.len()];
        for seed in seeds {
            let simulated = simulate(&Settings { seed, days: 3, ..Settings::default() });
            for (index, gate) in simulated.gates.iter().enumerate() {
                let planned = planned(&simulated, index);
                for at in (60..gate.minutes.len() - 100).step_by(BIN) {
                    for (found, ahead) in found.iter_mut().zip(AHEAD) {
                        let forecast = corrected(gate, &planned, at, ahead);
                        let truth = mean(gate, at + ahead);
                        if forecast > 0.5 {
                            found[level(forecast)].push((truth / forecast).clamp(0.0, 20.0));
                        }
                    }
                }
            }
        }
        let quantiles = |values: &mut Vec<f64>| {
            values.sort_unstable_by(f64::total_cmp);
            let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(1.0);
            [0.025, 0.1, 0.5, 0.9, 0.975].map(at)
        };
        Self { ratios: found.iter_mut().map(|levels| levels.each_mut().map(quantiles)).collect() }
    }

    /// Fans of the rate (people a minute) of the `ahead` minutes after minute `at` of a gate.
    pub fn fans(&self, gate: &GateDays, planned: &[f64], at: usize, ahead: usize) -> Vec<Fan> {
        let fan = |minutes: usize| {
            let middle = corrected(gate, planned, at, minutes).max(0.01);
            let upper = AHEAD.iter().position(|known| minutes < *known).unwrap_or(AHEAD.len() - 1).max(1);
            let (from, to) = (AHEAD[upper - 1] as f64, AHEAD[upper] as f64);
            let part = ((minutes as f64 - from) / (to - from)).clamp(0.0, 1.0);
            let (near, far) = (self.ratios[upper - 1][level(middle)], self.ratios[upper][level(middle)]);
            let at = |which: usize| middle * (near[which] + part * (far[which] - near[which]));
            Fan { low95: at(0), low80: at(1), median: at(2), high80: at(3), high95: at(4) }
        };
        (1..=ahead).map(fan).collect()
    }
}

/// What a venue expects at a gate, by minute, before any of the days: people a minute.
pub fn planned(simulated: &Simulated, gate: usize) -> Vec<f64> {
    let minutes = &simulated.gates[gate].minutes;
    let games: Vec<(f64, f64)> = simulated
        .matches
        .iter()
        .map(|game| {
            let from = game.kick_off.duration_since(simulated.start).as_secs_f64() / 60.0;
            (from, f64::from(game.announced) * game.shares[gate])
        })
        .collect();
    let rate = |minute: usize| -> f64 {
        let middle = minute as f64 + 0.5;
        let near = games.iter().filter(|(kick_off, _)| (middle - kick_off).abs() < 300.0);
        1.0 + near.map(|(kick_off, people)| people * arrivals::density(middle - kick_off)).sum::<f64>()
    };
    (0..minutes.len()).map(rate).collect()
}

/// What is expected so far ahead, in the bin around it, once what came lately is known.
fn corrected(gate: &GateDays, planned: &[f64], at: usize, ahead: usize) -> f64 {
    let (back, granted, forgotten) = CORRECTION;
    let recent = at.saturating_sub(back)..at;
    let (mut came, mut expected) = (granted, granted);
    for minute in recent {
        if let Some(seen) = gate.minutes[minute].seen_arrived {
            came += f64::from(seen);
            expected += planned[minute];
        }
    }
    let heeded = (-(ahead as f64) / forgotten).exp();
    let bin = around(at + ahead, planned.len());
    let level = planned[bin.clone()].iter().sum::<f64>() / bin.len().max(1) as f64;
    level * (came / expected).powf(heeded)
}

/// The bin around a minute.
fn around(minute: usize, minutes: usize) -> std::ops::Range<usize> {
    let begin = minute.min(minutes.saturating_sub(1)).saturating_sub(BIN / 2);
    begin..(begin + BIN).min(minutes)
}

fn mean(gate: &GateDays, minute: usize) -> f64 {
    let bin = around(minute, gate.minutes.len());
    let came: f64 = gate.minutes[bin.clone()].iter().map(|m| f64::from(m.arrived) - f64::from(m.turned)).sum();
    came / bin.len().max(1) as f64
}

fn level(rate: f64) -> usize {
    LEVELS.iter().filter(|bound| rate >= **bound).count()
}
