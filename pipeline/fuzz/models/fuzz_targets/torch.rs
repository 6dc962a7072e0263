//! State dicts of PyTorch, zipped and of before version 1.6: pickles are read and never run.
#![no_main]

#[path = "../../../../models/tests/support/brought.rs"]
mod brought;
#[path = "../../seeds.rs"]
mod seeds;

use brought::{State, old_pth, pth};
use libfuzzer_sys::fuzz_target;
use usher_models::{architecture::Architecture, import::understood};

fn states() -> Vec<State> {
    let state = |name: &str, shape: &[usize]| State {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data: vec![0.5; shape.iter().product()],
    };
    vec![
        state("module.conv1.weight", &[2, 3, 3, 3]),
        state("module.bn1.weight", &[2]),
        state("module.bn1.num_batches_tracked", &[]),
        state("module.fc.weight", &[2, 8]),
    ]
}

fuzz_target!(
    init: {
        seeds::seed("zipped", &pth(&states()));
        seeds::seed("old", &old_pth(&states()));
    },
    |data: &[u8]| {
        let architecture = [Architecture::Iresnet50, Architecture::Minifasnet][data.len() % 2];
        if let Err(why) = understood(data.to_vec(), architecture, "fuzzed", "0") {
            assert!(!why.is_empty());
        }
    }
);
