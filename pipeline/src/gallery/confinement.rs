//! Confinement: what a process may still ask of the kernel once it reads strangers' bytes.
//!
//! Two walls. Limits on resources: no file, no socket, no process, no core, an end to memory. Behind them a filter of
//! system calls (seccomp): reading and writing what is open, memory that is never executable, the time and the end are
//! allowed, and any other call kills the process. Neither can be taken back, and both hold for every thread of it. With
//! `open`, `connect`, `unlink`, `kill`, `execve` and their kin gone, there is nothing left for Landlock to forbid.

use libc::{
    MAP_ANONYMOUS, PROT_EXEC, RLIMIT_CPU, SYS_brk, SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group, SYS_futex,
    SYS_getrandom, SYS_madvise, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap, SYS_prlimit64, SYS_read,
    SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_yield, SYS_sigaltstack,
    SYS_write, SYS_writev, c_long,
};
use rustix::{
    process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit},
    time::{ClockId, clock_gettime},
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use std::{collections::BTreeMap, io};

/// How far a process is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confined {
    /// By its limits and by a filter of system calls.
    Filtered,
    /// By its limits alone: the kernel has no filters, or the service may not set one.
    LimitsOnly,
}

/// Takes everything from this process that a decoder of pictures does not need, for good. `memory` is the most address
/// space it may have, bytes, and `seconds` the most computing time in its life. It ends when the thread that started it ends.
///
/// # Errors
/// When the limits cannot be set. A filter that cannot be set is no error: see [`Confined::LimitsOnly`].
pub fn confine(memory: u64, seconds: u64) -> io::Result<Confined> {
    let limit = |resource, most: u64| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    limit(Resource::As, memory)?;
    limit(Resource::Cpu, seconds)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    // Standard input, output and error are open; nothing else ever is again, no file and no socket.
    limit(Resource::Nofile, 3)?;
    limit(Resource::Nproc, 0)?;
    // However the parent ends, nobody is to stay behind.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Where the kernel's clock is, is asked at its first reading: for more than what is allowed from here on.
    let _found = clock_gettime(ClockId::ProcessCPUTime);
    let filtered = program().is_some_and(|program| apply_filter_all_threads(&program).is_ok());
    Ok(if filtered { Confined::Filtered } else { Confined::LimitsOnly })
}

/// The filter as the kernel takes it; `None` on a machine that it is not written for.
fn program() -> Option<BpfProgram> {
    let machine = std::env::consts::ARCH.try_into().ok()?;
    let filter = SeccompFilter::new(allowed()?, SeccompAction::KillProcess, SeccompAction::Allow, machine).ok()?;
    filter.try_into().ok()
}

/// Calls that are allowed, with what their arguments must be where that matters.
fn allowed() -> Option<BTreeMap<c_long, Vec<SeccompRule>>> {
    const WHATEVER: [c_long; 19] = [
        SYS_read,
        SYS_write,
        SYS_writev,
        SYS_close,
        SYS_brk,
        SYS_munmap,
        SYS_mremap,
        SYS_madvise,
        SYS_futex,
        SYS_sched_yield,
        SYS_clock_gettime,
        SYS_getrandom,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigreturn,
        SYS_sigaltstack,
        SYS_restart_syscall,
        SYS_exit,
        SYS_exit_group,
    ];
    let is = |argument, value: u64| SeccompCondition::new(argument, Dword, SeccompCmpOp::Eq, value).ok();
    let has = |argument, mask: u64, value: u64| {
        SeccompCondition::new(argument, Dword, SeccompCmpOp::MaskedEq(mask), value).ok()
    };
    let never_executable = has(2, PROT_EXEC as u64, 0)?;
    let anonymous = has(3, MAP_ANONYMOUS as u64, MAP_ANONYMOUS as u64)?;
    let mut calls: BTreeMap<_, _> = WHATEVER.into_iter().map(|call| (call, Vec::new())).collect();
    calls.insert(SYS_mprotect, vec![SeccompRule::new(vec![never_executable.clone()]).ok()?]);
    calls.insert(SYS_mmap, vec![SeccompRule::new(vec![never_executable, anonymous]).ok()?]);
    // Its own time for the next picture, below the end that was set for good; of no other process.
    calls.insert(SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?, is(1, RLIMIT_CPU.into())?]).ok()?]);
    Some(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libc::{MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE};

    const ALLOW: u32 = 0x7fff_0000;
    const KILL_PROCESS: u32 = 0x8000_0000;

    /// What a filter says of a call, as the kernel would work it out: each instruction that the filters here are made of.
    fn verdict(program: &BpfProgram, machine: u32, call: c_long, arguments: [u64; 6]) -> u32 {
        let words = |value: u64| [value as u32, (value >> 32) as u32];
        let data: Vec<u32> =
            [call as u32, machine, 0, 0].into_iter().chain(arguments.into_iter().flat_map(words)).collect();
        let (mut at, mut value) = (0, 0_u32);
        loop {
            let step = &program[at];
            at += 1;
            let jump = |is: bool| usize::from(if is { step.jt } else { step.jf });
            match step.code {
                0x20 => value = data[step.k as usize / 4],
                0x54 => value &= step.k,
                0x05 => at += step.k as usize,
                0x15 => at += jump(value == step.k),
                0x25 => at += jump(value > step.k),
                0x35 => at += jump(value >= step.k),
                0x06 => return step.k,
                other => panic!("an instruction that this test does not know: {other:#x}"),
            }
        }
    }

    fn machine() -> u32 {
        if cfg!(target_arch = "aarch64") { 0xc000_00b7 } else { 0xc000_003e }
    }

    #[test]
    fn memory_is_anonymous_and_never_executable_and_limits_are_its_own_time() {
        let program = program().unwrap();
        let says = |call, arguments| verdict(&program, machine(), call, arguments);
        let (read_write, exec) = ((PROT_READ | PROT_WRITE) as u64, PROT_EXEC as u64);
        let (anonymous, nothing) = ((MAP_PRIVATE | MAP_ANONYMOUS) as u64, u64::from(u32::MAX));
        for (call, arguments, is_allowed) in [
            (SYS_read, [0; 6], true),
            (SYS_mmap, [0, 4096, read_write, anonymous, nothing, 0], true),
            (SYS_mmap, [0, 4096, read_write | exec, anonymous, nothing, 0], false),
            (SYS_mmap, [0, 4096, exec, anonymous | MAP_FIXED as u64, nothing, 0], false),
            (SYS_mmap, [0, 4096, read_write, MAP_PRIVATE as u64, 0, 0], false),
            (SYS_mprotect, [0, 4096, read_write, 0, 0, 0], true),
            (SYS_mprotect, [0, 4096, read_write | exec, 0, 0, 0], false),
            // What is above 32 bits of an `int` is nothing to the kernel either.
            (SYS_mprotect, [0, 4096, exec | 1 << 40, 0, 0, 0], false),
            (SYS_prlimit64, [0, 0, 1, 0, 0, 0], true),
            (SYS_prlimit64, [1, 0, 1, 0, 0, 0], false),
            (SYS_prlimit64, [0, libc::RLIMIT_NOFILE as u64, 1, 0, 0, 0], false),
            (libc::SYS_pkey_mprotect, [0, 4096, exec, 0, 0, 0], false),
            (libc::SYS_openat, [0; 6], false),
            (libc::SYS_ptrace, [0; 6], false),
            (libc::SYS_io_uring_setup, [0; 6], false),
        ] {
            let expected = if is_allowed { ALLOW } else { KILL_PROCESS };
            assert_eq!(says(call, arguments), expected, "call {call} {arguments:x?}");
        }
    }

    #[test]
    fn calls_by_another_machines_numbers_are_killed() {
        let program = program().unwrap();
        // 3 is `read` of 32-bit x86 and `close` of 64-bit; the high bit marks the x32 way of calling.
        assert_eq!(verdict(&program, 0x4000_0003, SYS_close, [0; 6]), KILL_PROCESS);
        assert_eq!(verdict(&program, machine(), SYS_read | 0x4000_0000, [0; 6]), KILL_PROCESS);
        assert_eq!(verdict(&program, machine(), SYS_read, [0; 6]), ALLOW);
    }
}
