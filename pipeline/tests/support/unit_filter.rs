//! The system calls that the unit leaves to the service, as systemd would set them, for a process that systemd did not start.

use crate::gate::root;
use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

/// Flags of `clone` that make a namespace (`RestrictNamespaces=`): cgroup, UTS, IPC, user, process, network, mount, time.
const NAMESPACES: [u64; 8] =
    [0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000, 0x0002_0000, 0x0000_0080];

/// What is asked for in vain, and done without: SQLite, run by root as the service is not, gives its files to whoever owns the
/// database; GLib asks once whether new threads may be given another's schedule.
const DONE_WITHOUT: [&str; 2] = ["fchown", "sched_setattr"];

/// Every group of this systemd, with what it holds: calls, and other groups.
fn groups() -> BTreeMap<String, Vec<String>> {
    let output = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager"]).output();
    let output = output.expect("systemd-analyze is there; `make test` installs Debian's package `systemd`");
    let (mut groups, mut group) = (BTreeMap::<String, Vec<String>>::new(), String::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match (line.starts_with('@'), line.trim()) {
            (true, name) => group = name.to_owned(),
            // At its end the kernel's calls of no group are listed, under headings of their own.
            (false, held) if held.is_empty() || held.starts_with('#') => {}
            (false, held) if line.starts_with(' ') => groups.entry(group.clone()).or_default().push(held.to_owned()),
            _ => break,
        }
    }
    assert!(groups.contains_key("@system-service"), "{groups:?}");
    groups
}

fn calls_of(name: &str, groups: &BTreeMap<String, Vec<String>>, into: &mut BTreeSet<String>) {
    match groups.get(name) {
        Some(held) => held.iter().for_each(|held| calls_of(held, groups, into)),
        None => drop(into.insert(name.to_owned())),
    }
}

/// The calls that the unit allows: its lines one after the other, as systemd.exec(5) says.
pub(crate) fn allowed() -> BTreeSet<String> {
    let (groups, mut allowed) = (groups(), BTreeSet::new());
    calls_of("@default", &groups, &mut allowed);
    let unit = fs::read_to_string(root().join("systemd/usher.service")).unwrap();
    for line in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (takes_away, names) = line.strip_prefix('~').map_or((false, line), |names| (true, names));
        for name in names.split_whitespace() {
            let mut meant = BTreeSet::new();
            calls_of(name, &groups, &mut meant);
            if takes_away { allowed.retain(|call| !meant.contains(call)) } else { allowed.extend(meant) }
        }
    }
    allowed
}

/// The numbers of this machine's calls, as its C headers have them.
fn numbers() -> BTreeMap<String, c_long> {
    let mut compiler = Command::new("cc");
    let compiler = compiler.args(["-dM", "-E", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut compiler =
        compiler.expect("a C compiler is there; `make test` installs Debian's package `build-essential`");
    compiler.stdin.take().unwrap().write_all(b"#include <asm/unistd.h>\n").unwrap();
    let output = compiler.wait_with_output().unwrap();
    let number = |line: &str| {
        let (name, number) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(number).collect()
}

fn filter(rules: BTreeMap<c_long, Vec<SeccompRule>>, other: SeccompAction, these: SeccompAction) -> BpfProgram {
    let machine = std::env::consts::ARCH.try_into().unwrap();
    SeccompFilter::new(rules, other, these, machine).unwrap().try_into().unwrap()
}

/// From here on this process has what the unit leaves it; for good, and with all that it starts. The unit refuses the rest
/// (`EPERM`); here it ends the process, [`DONE_WITHOUT`] aside, so that nothing that is needed is refused unseen.
pub(crate) fn confine_as_the_unit() {
    let (allowed, numbers) = (allowed(), numbers());
    let unit = fs::read_to_string(root().join("systemd/usher.service")).unwrap();
    let said = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap().to_owned();
    let number = |name: &str| numbers.get(name).copied();
    let is = |argument, value: u64| SeccompCondition::new(argument, Dword, SeccompCmpOp::Eq, value).unwrap();
    let has = |mask: u64| SeccompCondition::new(0, Dword, SeccompCmpOp::MaskedEq(mask), mask).unwrap();
    let rule = |condition| SeccompRule::new(vec![condition]).unwrap();

    let mut calls: BTreeMap<c_long, Vec<SeccompRule>> =
        allowed.iter().filter_map(|name| Some((number(name)?, Vec::new()))).collect();
    assert!(calls.len() > 200, "{} calls", calls.len());
    let families = said("RestrictAddressFamilies");
    let families = families.split(' ').map(|family| match family {
        "AF_INET" => libc::AF_INET,
        "AF_INET6" => libc::AF_INET6,
        "AF_UNIX" => libc::AF_UNIX,
        "AF_NETLINK" => libc::AF_NETLINK,
        other => panic!("a family that this test does not know: {other}"),
    });
    calls.insert(number("socket").unwrap(), families.map(|family| rule(is(0, family as u64))).collect());
    let refused = || SeccompAction::Errno(libc::EPERM as u32);
    let done_without: BTreeMap<_, _> =
        DONE_WITHOUT.into_iter().map(|name| (number(name).unwrap(), Vec::new())).collect();
    calls.extend(done_without.clone());
    let whole = filter(calls, SeccompAction::KillProcess, SeccompAction::Allow);
    let refuses = filter(done_without, SeccompAction::Allow, refused());

    // Where no namespace may be made, systemd says that there is no `clone3`, whose flags a filter cannot see, and C libraries fall
    // back; it looks at those of `clone`.
    assert_eq!(said("RestrictNamespaces"), "yes");
    let clone3 = BTreeMap::from([(number("clone3").unwrap(), Vec::new())]);
    let no_clone3 = filter(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32));
    let made = NAMESPACES.map(|flag| rule(has(flag))).to_vec();
    let namespaces = BTreeMap::from([(number("clone").unwrap(), made.clone()), (number("unshare").unwrap(), made)]);
    let no_namespaces = filter(namespaces, SeccompAction::Allow, refused());
    // The last one that is set must let the others be set: the whole goes on last.
    for program in [no_clone3, no_namespaces, refuses, whole] {
        apply_filter_all_threads(&program).unwrap();
    }
}
