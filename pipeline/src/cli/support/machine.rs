//! The machine and the service, for a support bundle: kinds and sizes; no host's name, user or address.

use super::unit;
use crate::update::{place, release::About};
use serde_json::{Value, json};
use std::{fs, path::Path};
use usher_config::Config;

/// Files of the data folder, of which the size is told and nothing else.
const FILES: &[&str] = &["gallery.db", "outbox.db", "audit.log", "calibration.json", "staff.json", "flow", "models"];

pub(super) fn about(config: Option<&Config>) -> Value {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let line = |file: &str, key: &str, by: char| {
        let text = fs::read_to_string(file).ok()?;
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(by))?;
        Some(found.trim().trim_matches('"').to_owned())
    };
    let place = Path::new(place::PATH);
    let release = |name: &str| About::of(&place.join(name)).ok().map(|about| json!(about));
    json!({
        "usher": env!("CARGO_PKG_VERSION"),
        "release": release("current"),
        "previous": release("previous"),
        "on_trial": place.join("trial").exists(),
        "system": line("/etc/os-release", "PRETTY_NAME", '='),
        "kernel": text(uname.release()),
        "machine": text(uname.machine()),
        "processor": line("/proc/cpuinfo", "model name", ':'),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": line("/proc/meminfo", "MemTotal", ':'),
        "memory_available": line("/proc/meminfo", "MemAvailable", ':'),
        "service": unit("usher.service"),
        "data": config.map(|config| data(&config.data)),
    })
}

/// Bytes of files, and how many there are in folders.
fn data(folder: &Path) -> Value {
    let size = |name: &&str| {
        let path = folder.join(name);
        let about = fs::metadata(&path).ok()?;
        let told = if about.is_dir() {
            json!({ "files": fs::read_dir(&path).map_or(0, Iterator::count) })
        } else {
            json!({ "bytes": about.len() })
        };
        Some(((*name).to_owned(), told))
    };
    let free = rustix::fs::statvfs(folder).map(|about| about.f_bavail.saturating_mul(about.f_frsize)).ok();
    json!({ "bytes_free": free, "files": FILES.iter().filter_map(size).collect::<serde_json::Map<_, _>>() })
}
