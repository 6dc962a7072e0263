//! PTX of our CUDA kernels, for the `cuda` feature only.
#![allow(clippy::disallowed_methods, reason = "a build script is no part of the product")]

use std::{env, path::PathBuf, process::Command};

/// What the PTX is for; newer devices translate it.
const CAPABILITY: &str = "compute_80";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    let folder = PathBuf::from("src/kernels/cuda");
    for name in ["usher.cu", "given.cuh", "mix.cuh", "mix_half.cuh", "filter.cuh", "edges.cuh", "pieces.cuh"] {
        println!("cargo::rerun-if-changed={}", folder.join(name).display());
    }
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let home = || env::var_os("CUDA_HOME").or_else(|| env::var_os("CUDA_PATH"));
    let nvcc =
        env::var_os("NVCC").map(PathBuf::from).or_else(|| home().map(|home| PathBuf::from(home).join("bin/nvcc")));
    let nvcc = nvcc.unwrap_or_else(|| "nvcc".into());
    let made = Command::new(&nvcc)
        .args(["--ptx", "-std=c++17", "-O3", "-arch", CAPABILITY, "--output-directory"])
        .arg(env::var_os("OUT_DIR").expect("cargo sets it"))
        .arg(folder.join("usher.cu"))
        .status();
    match made {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{} ended with {status} on usher.cu", nvcc.display()),
        Err(error) => panic!("{}: {error}; set NVCC, or use `make check-cuda`", nvcc.display()),
    }
}
