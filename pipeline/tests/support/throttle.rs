//! A process that is given a share of a processor: by a control group where one may be made, else as such a group does it.
//!
//! The kernel's bandwidth control lets a group run until its quota of a period is used up, and stands it still until the next
//! period begins. Done by hand that is SIGSTOP and SIGCONT.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test says no more by another word")]

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Of bandwidth control: the kernel's own default.
const PERIOD: Duration = Duration::from_millis(100);

/// While it is held, a process has a share of one processor only.
pub(crate) enum Throttle {
    /// By the kernel.
    Group { group: PathBuf, above: PathBuf, process: u32 },
    /// By signals: it runs, on every processor, for that share of each period.
    Hand { over: Arc<AtomicBool>, hand: Option<JoinHandle<()>> },
}

impl Throttle {
    /// By the kernel; `None` where this process may make no group.
    pub(crate) fn by_the_kernel(child: &Child, share: f64) -> Option<Self> {
        let (above, is_second) = own_group()?;
        let group = above.join(format!("usher-test-{}", child.id()));
        fs::create_dir(&group).ok()?;
        let held = Self::Group { group: group.clone(), above, process: child.id() };
        let quota = PERIOD.mul_f64(share).as_micros();
        let set = if is_second {
            fs::write(group.join("cpu.max"), format!("{quota} {}", PERIOD.as_micros()))
        } else {
            fs::write(group.join("cpu.cfs_period_us"), PERIOD.as_micros().to_string())
                .and_then(|()| fs::write(group.join("cpu.cfs_quota_us"), quota.to_string()))
        };
        // Where it fails, what was made is taken away again.
        set.and_then(|()| fs::write(group.join("cgroup.procs"), child.id().to_string())).is_ok().then_some(held)
    }

    /// Whether the process was held back so far.
    pub(crate) fn is_felt(&self) -> bool {
        let Self::Group { group, .. } = self else { return true };
        let told = fs::read_to_string(group.join("cpu.stat")).unwrap();
        let times = told.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.parse::<u64>().ok());
        times.expect("a group tells how often it was throttled") > 0
    }

    /// By signals.
    pub(crate) fn by_hand(child: &Child, share: f64) -> Self {
        let (over, process) = (Arc::new(AtomicBool::new(false)), Pid::from_child(child));
        let (ends, runs) = (over.clone(), PERIOD.mul_f64(share));
        let hand = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                std::thread::sleep(runs);
                let _it_may_have_ended = kill_process(process, Signal::STOP);
                std::thread::sleep(PERIOD - runs);
                let _it_may_have_ended = kill_process(process, Signal::CONT);
            }
        });
        Self::Hand { over, hand: Some(hand) }
    }
}

/// The control group that rules this process's share of processors, and whether it is of the second version.
fn own_group() -> Option<(PathBuf, bool)> {
    let (own, mounts) = (fs::read_to_string("/proc/self/cgroup").ok()?, fs::read_to_string("/proc/mounts").ok()?);
    let path_of = |is_it: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            is_it(controllers).then(|| path.trim_start_matches('/').to_owned())
        })
    };
    let mount = |is_it: &dyn Fn(&str, &str) -> bool| {
        mounts.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            is_it(words.get(2)?, words.get(3)?).then(|| Path::new(words[1]).to_owned())
        })
    };
    let has_cpu = |list: &str| list.split(',').any(|controller| controller == "cpu");
    if let (Some(root), Some(path)) = (mount(&|kind, options| kind == "cgroup" && has_cpu(options)), path_of(&has_cpu))
    {
        return Some((root.join(path), false));
    }
    let group = mount(&|kind, _| kind == "cgroup2")?.join(path_of(&str::is_empty)?);
    let hands_on = fs::read_to_string(group.join("cgroup.subtree_control")).ok()?;
    hands_on.split_whitespace().any(|controller| controller == "cpu").then_some((group, true))
}

impl Drop for Throttle {
    fn drop(&mut self) {
        match self {
            Self::Group { group, above, process } => {
                let _it_may_have_ended = fs::write(above.join("cgroup.procs"), process.to_string());
                let _still_held = fs::remove_dir(group);
            }
            Self::Hand { over, hand } => {
                over.store(true, Ordering::Relaxed);
                hand.take().into_iter().for_each(|hand| hand.join().unwrap());
            }
        }
    }
}

/// While it is held, every processor has busy threads on it besides.
pub(crate) struct Hogs(Arc<AtomicBool>, Vec<JoinHandle<()>>);

impl Hogs {
    /// So many on each.
    pub(crate) fn on_each(processor: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let hog = |over: Arc<AtomicBool>| {
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let hogs = processor * std::thread::available_parallelism().unwrap().get();
        Self(over.clone(), (0..hogs).map(|_| hog(over.clone())).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.drain(..).for_each(|hog| hog.join().unwrap());
    }
}
