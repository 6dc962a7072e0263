//! Processor time of another process, whole and thread by thread, as the kernel counts it.

use anyhow::Context;
use std::{collections::BTreeMap, fs, path::Path};

/// The kernel's ticks a second, the same on every Linux that usher runs on (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// User and system seconds of process `pid` so far, all its threads together.
pub(crate) fn seconds(pid: u32) -> anyhow::Result<f64> {
    Ok(of(Path::new(&format!("/proc/{pid}/stat")))?.1)
}

/// User and system seconds of each thread alive, summed by name.
pub(crate) fn by_thread(pid: u32) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut threads = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended since.
        if let Ok((name, seconds)) = of(&thread?.path().join("stat")) {
            *threads.entry(name).or_insert(0.0) += seconds;
        }
    }
    Ok(threads)
}

/// Name and seconds of one `stat` file (proc_pid_stat(5): fields 2, 14 and 15).
fn of(stat: &Path) -> anyhow::Result<(String, f64)> {
    let text = fs::read_to_string(stat)?;
    let (name, rest) = text.rsplit_once(')').context("a name in brackets")?;
    let name = name.split_once('(').context("a name in brackets")?.1.to_owned();
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok((name, ticks.iter().sum::<f64>() / TICKS))
}
