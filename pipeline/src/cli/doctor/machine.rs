//! The machine under a gate: disk, clock, permissions.

use super::Finding;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};
use usher_config::{Config, capture::Source};

/// Bytes below which a data folder is nearly full: a day of visits and weights that are converted anew.
const LITTLE: u64 = 1 << 30;
/// Bytes below which there is no room for a day.
const NONE: u64 = 64 << 20;
/// No clock that is right is before this: 2026.
const LONG_AGO: Duration = Duration::from_secs(1_767_225_600);

/// The data folder: there, ours alone, writable, with room.
pub(super) fn data(folder: &Path) -> Vec<Finding> {
    let path = folder.display();
    let about = match fs::metadata(folder) {
        Ok(about) => about,
        Err(why) => {
            let mend = format!(
                "make it and give it to the user that usher runs as: `install -d -m 700 -o usher -g usher {path}`"
            );
            return vec![Finding::bad("data folder", format!("{path}: {why}"), mend)];
        }
    };
    let mode = about.permissions().mode() & 0o777;
    let access = if let Err(why) = tempfile::tempfile_in(folder) {
        let mend = format!("run this as the user that usher runs as, or `chown -R usher: {path}`");
        Finding::bad("data folder", format!("{path} (owner {}, mode {mode:03o}): {why}", about.uid()), mend)
    } else if mode & 0o077 != 0 {
        let mend = format!("`chmod 700 {path}`");
        Finding::doubtful("data folder", format!("{path} can be read by others (mode {mode:03o})"), mend)
    } else {
        Finding::good("data folder", format!("{path} is writable, and nobody else's"))
    };
    vec![access, room(folder)]
}

fn room(folder: &Path) -> Finding {
    let about = match rustix::fs::statvfs(folder) {
        Ok(about) => about,
        Err(why) => return Finding::bad("disk", why.to_string(), "mend the disk under the data folder"),
    };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let words = format!("{:.1} GB free under {}", free as f64 / 1e9, folder.display());
    if about.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        let mend = "find out why (`dmesg`), and mount it writable: a gate goes on, and keeps nothing";
        return Finding::bad("disk", format!("the disk under {} is read-only", folder.display()), mend);
    }
    let mend = "make room: what fills it is rarely usher, see `du -xh / | sort -h | tail`";
    match free {
        0..NONE => Finding::bad("disk", words, mend),
        NONE..LITTLE => Finding::doubtful("disk", words, mend),
        _ => Finding::good("disk", words),
    }
}

/// The clock: set, and kept right by somebody.
pub(super) fn clock(now: SystemTime) -> Finding {
    if now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < LONG_AGO) {
        let mend = "set it, or let the network do it: `timedatectl set-ntp true`; nobody can enrol until then";
        return Finding::bad("clock", "the clock was never set", mend);
    }
    let said = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output();
    let said = said.ok().filter(|said| said.status.success());
    match said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).as_deref() {
        Some("yes") => Finding::good("clock", "kept right over the network"),
        Some("no") => Finding::doubtful(
            "clock",
            "nobody keeps it right",
            "`timedatectl set-ntp true`, or a time server of the venue's: greetings and expiries go by it",
        ),
        _ => {
            Finding::doubtful("clock", "whether anybody keeps it right is not known", "ask the machine's time service")
        }
    }
}

/// Devices of cameras: readable by whoever asks.
pub(super) fn devices(config: &Config) -> Vec<Finding> {
    let device = |source: &Source| match source {
        Source::V4l2 { device } => Some(device.clone()),
        _ => None,
    };
    let devices = config.cameras.iter().filter_map(|(name, camera)| Some((name, device(&camera.source)?)));
    let faults = devices.filter_map(|(name, device)| {
        let why = rustix::fs::access(&device, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK).err()?;
        let mend = if why == rustix::io::Errno::ACCESS {
            "put the user that usher runs as into the group `video`: `adduser usher video`, then start usher anew"
        } else {
            "plug the camera in, or name the device that `v4l2-ctl --list-devices` shows"
        };
        Some(Finding::bad(format!("camera {name}"), format!("{}: {why}", device.display()), mend))
    });
    faults.collect()
}

/// A configuration with a password in it: nobody else's to read.
pub(super) fn secret(path: &Path) -> Option<Finding> {
    let holds = fs::read_to_string(path).ok()?.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.contains("password:")
    });
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (holds && mode & 0o007 != 0).then(|| {
        let found = format!("{} holds a password and can be read by everybody (mode {mode:03o})", path.display());
        let mend = format!(
            "write it into a file of its own (`password_file`), or `chmod 640` and `chgrp usher {}`",
            path.display()
        );
        Finding::doubtful("permissions", found, mend)
    })
}
