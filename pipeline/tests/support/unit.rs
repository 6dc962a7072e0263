//! What `usher.service` makes of a process: started again when it ends or goes unfed, and left down where it says "mend me".
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test says no more by another word")]

use crate::{bench::Bench, gate::root};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

/// No limit.
pub(crate) const ENDLESS: Rlimit = Rlimit { current: None, maximum: None };

/// A limit of so many bytes.
pub(crate) fn at_most(bytes: u64) -> Rlimit {
    Rlimit { current: Some(bytes), maximum: None }
}

/// The figures of the unit that matter here.
struct Rules {
    restart: Duration,
    watchdog: Duration,
    start: Duration,
    mend_me: i32,
}

impl Rules {
    fn read() -> Self {
        let unit = fs::read_to_string(root().join("systemd/usher.service")).unwrap();
        let number = |key: &str| -> u64 {
            let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("the unit says {key} in seconds"))
        };
        assert!(unit.contains("Restart=always"));
        let seconds = |key| Duration::from_secs(number(key));
        Self {
            restart: seconds("RestartSec"),
            watchdog: seconds("WatchdogSec"),
            start: seconds("TimeoutStartSec"),
            mend_me: number("RestartPreventExitStatus") as i32,
        }
    }
}

/// A gate under such a unit. To be tended many times a second.
pub(crate) struct Unit<'a> {
    bench: &'a Bench,
    rules: Rules,
    path: PathBuf,
    notify: UnixDatagram,
    running: Option<Child>,
    is_ready: bool,
    /// When it started, was fed or ended last.
    since: Instant,
    /// What a process is started under.
    pub(crate) limit: Option<(Resource, u64)>,
    /// How processes ended.
    pub(crate) ends: Vec<ExitStatus>,
    /// How often one was ended because its watchdog went unfed.
    pub(crate) unfed: usize,
}

impl<'a> Unit<'a> {
    /// The gate of `bench`, started and ready.
    pub(crate) fn start(bench: &'a Bench) -> Self {
        let path = bench.gate.folder.path().join("notify");
        let notify = UnixDatagram::bind(&path).unwrap();
        notify.set_nonblocking(true).unwrap();
        let (rules, since) = (Rules::read(), Instant::now());
        let (ends, running) = (Vec::new(), None);
        let mut unit =
            Self { bench, rules, path, notify, running, is_ready: false, since, limit: None, ends, unfed: 0 };
        unit.begin();
        let _within = bench.until("the unit is ready", unit.rules.start, || unit.tend().is_some_and(|_| unit.is_ready));
        unit
    }

    fn begin(&mut self) {
        // What the process before said last.
        self.hear();
        let mut command = self.bench.command();
        let running = command.env("NOTIFY_SOCKET", &self.path).spawn().unwrap();
        if let Some((resource, bytes)) = self.limit {
            let _it_may_have_ended = prlimit(Some(Pid::from_child(&running)), resource, at_most(bytes));
        }
        (self.running, self.is_ready, self.since) = (Some(running), false, Instant::now());
    }

    fn hear(&mut self) {
        let mut datagram = [0; 512];
        while let Ok(length) = self.notify.recv(&mut datagram) {
            for said in String::from_utf8_lossy(&datagram[..length]).lines() {
                self.is_ready |= said == "READY=1";
                if ["READY=1", "WATCHDOG=1"].contains(&said) {
                    self.since = Instant::now();
                }
            }
        }
    }

    /// Does what is due; the process that runs, if one does.
    ///
    /// # Panics
    /// When it ended with what says "mend me first": nobody would start it again.
    pub(crate) fn tend(&mut self) -> Option<u32> {
        self.hear();
        let Some(running) = &mut self.running else {
            if self.since.elapsed() >= self.rules.restart {
                self.begin();
            }
            return None;
        };
        if let Some(status) = running.try_wait().unwrap() {
            let log = self.bench.log();
            assert_ne!(status.code(), Some(self.rules.mend_me), "it is not started again: {log}");
            self.ends.push(status);
            (self.running, self.since) = (None, Instant::now());
            return None;
        }
        let id = running.id();
        let most = if self.is_ready { self.rules.watchdog } else { self.rules.start };
        if self.since.elapsed() > most {
            self.unfed += 1;
            kill_process(Pid::from_child(running), Signal::ABORT).unwrap();
        }
        Some(id)
    }

    /// `systemctl reload`, where a process runs that is ready.
    pub(crate) fn hang_up(&self) {
        if let Some(running) = self.running.as_ref().filter(|_| self.is_ready) {
            let _it_may_have_ended = kill_process(Pid::from_child(running), Signal::HUP);
        }
    }

    /// Memory that the process holds, bytes: `VmSize`, `VmData`; nothing where none runs.
    pub(crate) fn holds(&self, what: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.as_ref()?.id())).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
        Some(kib.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// Puts the process that runs under another limit; false where none does.
    pub(crate) fn confine(&self, resource: Resource, limit: Rlimit) -> bool {
        self.running.as_ref().is_some_and(|running| prlimit(Some(Pid::from_child(running)), resource, limit).is_ok())
    }
}

impl Drop for Unit<'_> {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            let _asked = kill_process(Pid::from_child(running), Signal::TERM);
            let _ended = running.wait();
        }
    }
}
