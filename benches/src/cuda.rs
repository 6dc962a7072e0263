//! Latency and throughput of each network on a CUDA device, by batch, precision and recording.
//!
//! A call is what a gate waits for: the picture from the caller's memory to the device, the network, the outputs back.
//! `benches/peers/torch_cuda.py` measures PyTorch the same way, call by call in turn.

use crate::{process::set_up, report};
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::{path::Path, time::Instant};
use usher_models::{
    compute::{Choice, Compute, Precision},
    forward::Network,
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

const QUESTION: &str = "How long does each network take on a CUDA device, and how many pictures a second does it do?";
/// Name, height, width.
const NETWORKS: [(&str, usize, usize); 5] = [
    ("yunet", 384, 640),
    ("sface", 112, 112),
    ("retinaface", 384, 640),
    ("mobilefacenet", 112, 112),
    ("minifasnet", 128, 128),
];
const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const WARM_UPS: usize = 20;
const CALLS: usize = 200;

/// The first CUDA device.
pub(crate) fn on_cuda(half: bool, graphs: bool) -> anyhow::Result<Compute> {
    let precision = if half { Precision::Half } else { Precision::Full };
    let compute = Compute::open(Choice::Cuda(0))?.in_precision(precision);
    Ok(if graphs { compute } else { compute.without_graphs() })
}

/// The bench; `arguments` are none, or `--output FILE`.
pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<()> {
    let output = match arguments {
        [] => None,
        [flag, path] if flag == "--output" => Some(Path::new(path)),
        _ => bail!("usher-benches cuda [--output FILE]"),
    };
    if let Err(error) = Compute::open(Choice::Cuda(0)) {
        println!("no CUDA device here: nothing was measured ({error})");
        return Ok(());
    }
    let answer = answer()?;
    if let Some(path) = output {
        report::write(path, "usher-benches cuda", QUESTION, &answer)?;
    }
    Ok(())
}

fn answer() -> anyhow::Result<Value> {
    let lock = Lock::read(MODELS)?;
    let models = set_up("models", "USHER_MODELS")?;
    let mut rows = Vec::new();
    for (name, height, width) in NETWORKS {
        let sha = &lock.network(name).with_context(|| format!("no network {name}"))?.sha256;
        for (half, graphs) in [(false, true), (false, false), (true, true), (true, false)] {
            let stored = Stored::read(&models, name, sha)?;
            let mut network = Network::new(stored, &on_cuda(half, graphs)?)?;
            for batch in BATCHES {
                let input: Vec<f32> = (0..batch * 3 * height * width).map(|i| (i * 7919 % 256) as f32).collect();
                let mut times = Vec::with_capacity(CALLS);
                for call in 0..WARM_UPS + CALLS {
                    let begun = Instant::now();
                    network.forward(&input, batch, height, width)?;
                    if call >= WARM_UPS {
                        times.push(begun.elapsed().as_secs_f64() * 1e3);
                    }
                }
                times.sort_by(f64::total_cmp);
                let median = times[CALLS / 2];
                let row = json!({ "network": name, "height": height, "width": width, "batch": batch,
                    "precision": if half { "f16" } else { "f32" }, "graph": graphs, "median_ms": median,
                    "p90_ms": times[CALLS * 9 / 10], "pictures_per_second": batch as f64 * 1e3 / median });
                println!("{row}");
                rows.push(row);
            }
        }
    }
    Ok(Value::Array(rows))
}
