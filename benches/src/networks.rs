//! Milliseconds of each network on one thread.

use crate::{iresnet::iresnet50, process::set_up};
use serde_json::{Value, json};
use std::time::Instant;
use usher_models::{
    compute::{Choice, Compute},
    forward::Network,
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

pub(crate) const QUESTION: &str = "How long does each network take on one thread?";

/// The one with random weights.
const MADE_HERE: &str = "iresnet50";

/// Name, batch, height, width.
const WORKS: [(&str, usize, usize, usize); 11] = [
    ("sface", 1, 112, 112),
    ("sface", 2, 112, 112),
    ("sface", 8, 112, 112),
    ("mobilefacenet", 1, 112, 112),
    ("mobilefacenet", 8, 112, 112),
    (MADE_HERE, 1, 112, 112),
    (MADE_HERE, 4, 112, 112),
    ("minifasnet", 1, 128, 128),
    ("retinaface", 1, 384, 640),
    ("yunet", 1, 384, 640),
    ("yunet", 1, 192, 320),
];

pub(crate) fn answer() -> anyhow::Result<Value> {
    let mut rows = Vec::new();
    for (name, batch, height, width) in WORKS {
        let stored = if name == MADE_HERE {
            iresnet50()
        } else {
            let lock = Lock::read(MODELS)?;
            let sha = lock.network(name).map(|network| network.sha256.clone()).unwrap_or_default();
            Stored::read(&set_up("models", "USHER_MODELS")?, name, &sha)?
        };
        let mut network = Network::new(stored, &Compute::open(Choice::Cpu)?)?;
        let input: Vec<f32> = (0..batch * 3 * height * width).map(|i| (i * 7919 % 256) as f32).collect();
        let mut times: Vec<f64> = (0..60)
            .map(|_| -> anyhow::Result<f64> {
                let begun = Instant::now();
                network.forward(&input, batch, height, width)?;
                Ok(begun.elapsed().as_secs_f64() * 1e3)
            })
            .collect::<Result<_, _>>()?;
        times.drain(..10);
        times.sort_by(f64::total_cmp);
        let row = json!({ "network": name, "batch": batch, "height": height, "width": width,
            "weights": if name == MADE_HERE { "random" } else { "installed" },
            "median_ms": times[times.len() / 2], "least_ms": times[0] });
        println!("{row}");
        rows.push(row);
    }
    Ok(Value::Array(rows))
}
