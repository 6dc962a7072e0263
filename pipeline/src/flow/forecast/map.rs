//! The optimiser of Prophet's posterior: maximum a posteriori without Stan.
//!
//! With a linear trend and additive seasons, Prophet (Taylor and Letham 2018) is a regression with a Gaussian prior on each
//! coefficient and a Laplace prior on each change of the trend. For a given noise that is a lasso within a ridge: coordinate
//! descent on the Gram matrix finds its one maximum; noise and coefficients take turns.

use augurs_prophet::{
    PositiveFloat, TrendIndicator,
    optimizer::{Data, Error, InitialParams, OptimizeOpts, OptimizedParams, Optimizer},
};

/// Turns between noise and coefficients; the noise settles within a few.
const TURNS: usize = 8;
/// Sweeps over all coefficients in a turn, at most.
const SWEEPS: usize = 200;
/// A sweep that moves no coefficient by more (in units of the largest count) ends the turn.
const STILL: f64 = 1e-7;

/// Coordinate descent for `growth: Linear` and additive features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map;

impl Optimizer for Map {
    fn optimize(&self, _: &InitialParams, data: &Data, _: &OptimizeOpts) -> Result<OptimizedParams, Error> {
        if data.trend_indicator != TrendIndicator::Linear || data.s_m.iter().any(|multiplies| *multiplies != 0) {
            return Err(Error::static_str("only a linear trend with additive seasons"));
        }
        let (rows, regressors, changes) = (data.y.len(), data.sigmas.len(), data.t_change.len());
        let width = 2 + changes + regressors;
        let row = |i: usize| -> Vec<f64> {
            let mut row = vec![data.t[i], 1.0];
            row.extend(data.t_change.iter().map(|change| (data.t[i] - change).max(0.0)));
            row.extend_from_slice(&data.X[i * regressors..(i + 1) * regressors]);
            row
        };
        let (mut gram, mut moment) = (vec![0.0; width * width], vec![0.0; width]);
        for i in 0..rows {
            let row = row(i);
            for (a, x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                moment[a] += x * data.y[i];
                gram[a * width..(a + 1) * width].iter_mut().zip(&row).for_each(|(sum, z)| *sum += x * z);
            }
        }
        let squares: f64 = data.y.iter().map(|y| y * y).sum();
        let tau = f64::from(data.tau);
        // Stan's priors: k, m ~ N(0, 5), delta ~ Laplace(0, tau), beta ~ N(0, sigmas), sigma ~ N(0, 0.5).
        let ridge = |j: usize| match j {
            0 | 1 => 1.0 / 25.0,
            j if j < 2 + changes => 0.0,
            j => f64::from(data.sigmas[j - 2 - changes]).powi(-2),
        };
        let (mut theta, mut sigma) = (vec![0.0; width], 0.3_f64);
        for _ in 0..TURNS {
            let noise = sigma * sigma;
            for _ in 0..SWEEPS {
                let mut moved = 0.0_f64;
                for j in 0..width {
                    let line = &gram[j * width..(j + 1) * width];
                    let other: f64 = line.iter().zip(&theta).map(|(g, t)| g * t).sum::<f64>() - line[j] * theta[j];
                    let pull = (moment[j] - other) / noise;
                    let stiff = line[j] / noise + ridge(j);
                    let is_change = (2..2 + changes).contains(&j);
                    let pull = if is_change { pull.signum() * (pull.abs() - 1.0 / tau).max(0.0) } else { pull };
                    let next = if stiff > 0.0 { pull / stiff } else { 0.0 };
                    moved = moved.max((next - theta[j]).abs());
                    theta[j] = next;
                }
                if moved < STILL {
                    break;
                }
            }
            let fitted: f64 = theta.iter().zip(&moment).map(|(t, m)| t * m).sum();
            let product = |j: usize| -> f64 { gram[j * width..][..width].iter().zip(&theta).map(|(g, t)| g * t).sum() };
            let square: f64 = theta.iter().enumerate().map(|(j, t)| t * product(j)).sum();
            let left = (squares - 2.0 * fitted + square).max(1e-12);
            // The maximum over sigma of -n ln(sigma) - left / (2 sigma^2) - 2 sigma^2, solved for sigma^2.
            let n = rows as f64;
            sigma = (((n * n + 16.0 * left).sqrt() - n) / 8.0).max(1e-12).sqrt();
        }
        let trend = (0..rows).map(|i| row(i).iter().zip(&theta).take(2 + changes).map(|(x, t)| x * t).sum()).collect();
        Ok(OptimizedParams {
            k: theta[0],
            m: theta[1],
            sigma_obs: PositiveFloat::try_new(sigma).map_err(Error::custom)?,
            delta: theta[2..2 + changes].to_vec(),
            beta: theta[2 + changes..].to_vec(),
            trend,
        })
    }
}
