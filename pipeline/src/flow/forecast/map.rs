//! The optimiser of Prophet's posterior: maximum a posteriori without Stan.
//!
//! With a linear trend and additive seasons, Prophet (Taylor and Letham 2018) is a regression with a Gaussian prior on most
//! coefficients and a Laplace prior on each change of the trend. For a given noise the Gaussian ones are a linear system, solved
//! once (Cholesky); what is left is a lasso of a few changes, whose one maximum coordinate descent finds. Noise and coefficients
//! take turns.

use augurs_prophet::{
    PositiveFloat, TrendIndicator,
    optimizer::{Data, Error, InitialParams, OptimizeOpts, OptimizedParams, Optimizer},
};
use nalgebra::DMatrix;

/// Turns between noise and coefficients, at most.
const TURNS: usize = 30;
/// A turn that changes the noise by a smaller share is the last.
const SETTLED: f64 = 1e-7;
/// Sweeps over all changes in a turn, at most.
const SWEEPS: usize = 4000;
/// A sweep that moves no change by more (in units of the largest count) ends the turn.
const STILL: f64 = 1e-9;

/// The optimiser for `growth: Linear` and additive features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map;

impl Optimizer for Map {
    fn optimize(&self, _: &InitialParams, data: &Data, _: &OptimizeOpts) -> Result<OptimizedParams, Error> {
        if data.trend_indicator != TrendIndicator::Linear || data.s_m.iter().any(|multiplies| *multiplies != 0) {
            return Err(Error::static_str("only a linear trend with additive seasons"));
        }
        let (rows, regressors, changes) = (data.y.len(), data.sigmas.len(), data.t_change.len());
        // Coefficients of a Gaussian prior first: slope, level, seasons; then changes.
        let (gaussian, width) = (2 + regressors, 2 + regressors + changes);
        let mut cells = Vec::with_capacity(rows * width);
        for (i, t) in data.t.iter().enumerate() {
            cells.extend([*t, 1.0]);
            cells.extend_from_slice(&data.X[i * regressors..(i + 1) * regressors]);
            cells.extend(data.t_change.iter().map(|change| (t - change).max(0.0)));
        }
        let columns = DMatrix::from_vec(width, rows, cells);
        let gram = &columns * columns.transpose();
        let moment = &columns * DMatrix::from_column_slice(rows, 1, &data.y);
        let squares: f64 = data.y.iter().map(|y| y * y).sum();
        // Stan's priors: k, m ~ N(0, 5), delta ~ Laplace(0, tau), beta ~ N(0, sigmas), sigma ~ N(0, 0.5).
        let ridge: Vec<f64> =
            [1.0 / 25.0; 2].into_iter().chain(data.sigmas.iter().map(|sigma| f64::from(*sigma).powi(-2))).collect();
        let (gram, moment) = (gram.as_slice(), moment.as_slice());
        let (mut theta, mut sigma) = (vec![0.0; width], 0.3_f64);
        for _ in 0..TURNS {
            let before = sigma;
            turn(gram, moment, &ridge, gaussian, sigma * sigma, f64::from(data.tau), &mut theta);
            let fitted = dot(&theta, moment);
            let square: f64 = theta.iter().zip(gram.chunks_exact(width)).map(|(t, line)| t * dot(line, &theta)).sum();
            let left = (squares - 2.0 * fitted + square).max(1e-12);
            // The maximum over sigma of -n ln(sigma) - left / (2 sigma^2) - 2 sigma^2, solved for sigma^2.
            let n = rows as f64;
            sigma = (((n * n + 16.0 * left).sqrt() - n) / 8.0).max(1e-12).sqrt();
            if (sigma - before).abs() <= SETTLED * before {
                break;
            }
        }
        let delta = theta[gaussian..].to_vec();
        let trend = |t: &f64| {
            let bends = data.t_change.iter().zip(&delta).map(|(change, delta)| delta * (t - change).max(0.0));
            theta[0] * t + theta[1] + bends.sum::<f64>()
        };
        Ok(OptimizedParams {
            k: theta[0],
            m: theta[1],
            sigma_obs: PositiveFloat::try_new(sigma).map_err(Error::custom)?,
            beta: theta[2..gaussian].to_vec(),
            trend: data.t.iter().map(trend).collect(),
            delta,
        })
    }
}

/// The coefficients' maximum for a given noise, from `theta` on; the first `gaussian` of them have a ridge.
fn turn(gram: &[f64], moment: &[f64], ridge: &[f64], gaussian: usize, noise: f64, tau: f64, theta: &mut [f64]) {
    let width = theta.len();
    let changes = width - gaussian;
    let lower = cholesky(gaussian, |i, j| gram[i * width + j] / noise + if i == j { ridge[i] } else { 0.0 });
    // Half-way through the system for each change and for the moment: products of these are what remains of the Gram matrix.
    let half = |column: &dyn Fn(usize) -> f64| forward(&lower, gaussian, column);
    let of_change: Vec<Vec<f64>> = (gaussian..width).map(|j| half(&|i| gram[i * width + j] / noise)).collect();
    let of_moment = half(&|i| moment[i] / noise);
    let mut stiff = vec![0.0; changes * changes];
    for a in 0..changes {
        for b in 0..changes {
            let whole = gram[(gaussian + a) * width + gaussian + b] / noise;
            stiff[a * changes + b] = whole - dot(&of_change[a], &of_change[b]);
        }
    }
    let pull: Vec<f64> = (0..changes).map(|a| moment[gaussian + a] / noise - dot(&of_change[a], &of_moment)).collect();
    let delta = &mut theta[gaussian..];
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for a in 0..changes {
            let line = &stiff[a * changes..(a + 1) * changes];
            let pull = pull[a] - dot(line, delta) + line[a] * delta[a];
            let over = pull.signum() * (pull.abs() - 1.0 / tau).max(0.0);
            let next = if line[a] > 0.0 { over / line[a] } else { 0.0 };
            moved = moved.max((next - delta[a]).abs());
            delta[a] = next;
        }
        if moved < STILL {
            break;
        }
    }
    let mut rest = of_moment;
    for (change, delta) in of_change.iter().zip(delta.iter()) {
        rest.iter_mut().zip(change).for_each(|(rest, change)| *rest -= delta * change);
    }
    theta[..gaussian].copy_from_slice(&backward(&lower, rest));
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower factor of a positive definite matrix, row by row.
fn cholesky(size: usize, at: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut lower: Vec<Vec<f64>> = Vec::with_capacity(size);
    for i in 0..size {
        let mut row = Vec::with_capacity(i + 1);
        for (j, above) in lower.iter().enumerate() {
            row.push((at(i, j) - dot(&row, &above[..j])) / above[j]);
        }
        // The ridge keeps this above zero; rounding must not take it below.
        row.push((at(i, i) - dot(&row, &row)).max(1e-12).sqrt());
        lower.push(row);
    }
    lower
}

/// Solves `lower x = column`.
fn forward(lower: &[Vec<f64>], size: usize, column: &dyn Fn(usize) -> f64) -> Vec<f64> {
    let mut solved = Vec::with_capacity(size);
    for (i, row) in lower.iter().enumerate() {
        solved.push((column(i) - dot(&solved, &row[..i])) / row[i]);
    }
    solved
}

/// Solves `lowerᵀ x = column`.
fn backward(lower: &[Vec<f64>], mut column: Vec<f64>) -> Vec<f64> {
    for (i, row) in lower.iter().enumerate().rev() {
        column[i] /= row[i];
        let solved = column[i];
        column.iter_mut().zip(&row[..i]).for_each(|(cell, part)| *cell -= part * solved);
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn no_coefficient_can_be_moved_for_the_better() {
        let mut random: rand_chacha::ChaCha8Rng = rand::SeedableRng::seed_from_u64(5);
        let (rows, gaussian, width, noise, tau) = (60, 5, 12, 0.04, 0.1);
        let cells: Vec<f64> = (0..rows * width).map(|_| random.random::<f64>() - 0.5).collect();
        let columns = DMatrix::from_vec(width, rows, cells);
        // Two of the changes are real; the others are nothing but chance.
        let y: Vec<f64> = (0..rows)
            .map(|i| columns[(0, i)] - columns[(3, i)] + 2.0 * columns[(6, i)] - columns[(9, i)])
            .map(|y| y + 0.2 * (random.random::<f64>() - 0.5))
            .collect();
        let gram = &columns * columns.transpose();
        let moment = &columns * DMatrix::from_column_slice(rows, 1, &y);
        let (ridge, mut theta) = (vec![0.5; gaussian], vec![0.0; width]);
        turn(gram.as_slice(), moment.as_slice(), &ridge, gaussian, noise, tau, &mut theta);
        let mut none = 0;
        for j in 0..width {
            let slope = (moment[j] - dot(&gram.as_slice()[j * width..(j + 1) * width], &theta)) / noise;
            match (j < gaussian, theta[j]) {
                (true, value) => assert!((slope - ridge[j] * value).abs() < 1e-6, "{j}: {slope}"),
                (false, 0.0) => none += usize::from(slope.abs() <= 1.0 / tau + 1e-6),
                (false, value) => assert!((slope - value.signum() / tau).abs() < 1e-4, "{j}: {slope} {value}"),
            }
        }
        assert!((1..=5).contains(&none) && theta[6] > 1.5 && theta[9] < -0.5, "{theta:?}");
        let zeros = theta[gaussian..].iter().filter(|value| **value == 0.0).count();
        assert_eq!(zeros, none, "a change that pulls more than its prior is no zero: {theta:?}");
    }
}
