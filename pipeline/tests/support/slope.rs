//! A line through samples of memory.

/// Slope of memory over time and the upper end of its 95 % interval, MiB an hour, by least squares.
pub(crate) fn slope(samples: &[(f64, f64)]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / n;
    let (t, m) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let across: f64 = samples.iter().map(|(at, _)| (at - t).powi(2)).sum();
    let slope = samples.iter().map(|(at, mib)| (at - t) * (mib - m)).sum::<f64>() / across;
    let rest: f64 = samples.iter().map(|(at, mib)| (mib - m - slope * (at - t)).powi(2)).sum();
    (slope, slope + 1.96 * (rest / (n - 2.0) / across).sqrt())
}
