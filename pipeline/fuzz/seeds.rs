//! Seeds: what is right, from which a target begins.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Puts a seed into the corpus that the target was started with, unless it is there.
pub(crate) fn seed(name: &str, bytes: &[u8]) {
    let Some(corpus) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else { return };
    let path = Path::new(&corpus).join(format!("seed-{name}"));
    if Path::new(&corpus).is_dir() && !path.exists() {
        fs::write(path, bytes).expect("the corpus can be written");
    }
}

/// A folder of this process's own, in memory where there is such a place.
#[allow(dead_code, reason = "most targets read bytes, not files")]
pub(crate) fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let within = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = within.join(format!("usher-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    folder
}
