//! Seeds: what is right, from which a target begins.

use std::{fs, path::Path};

/// Puts a seed into the corpus that the target was started with, unless it is there.
pub(crate) fn seed(name: &str, bytes: &[u8]) {
    let Some(corpus) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else { return };
    let path = Path::new(&corpus).join(format!("seed-{name}"));
    if Path::new(&corpus).is_dir() && !path.exists() {
        fs::write(path, bytes).expect("the corpus can be written");
    }
}
