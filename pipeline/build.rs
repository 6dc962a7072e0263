//! Refuses early, and with the mend, when the pages are not built; collects the words that usher says.

#[path = "build/words.rs"]
mod words;

use std::path::Path;

fn main() {
    words::collect(&["src", "../config/src", "../models/src"]);
    println!("cargo::rerun-if-changed=web/dist");
    for page in [
        "index.html",
        "signage.html",
        "signage.js",
        "operator.html",
        "operator.js",
        "enrol.html",
        "enrol.js",
        "pass.html",
        "pass.js",
        "staff.html",
        "staff.js",
    ] {
        if !Path::new("web/dist").join(page).is_file() {
            println!("cargo::error=pipeline/web/dist/{page} is not there; run `make pages` (needs Node 18 or newer)");
        }
    }
}
