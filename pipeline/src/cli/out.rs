//! Standard output and standard error of a command.
//!
//! Whoever reads them may have read enough (`usher flow simulate --json | head -1`) or be gone; the standard library's macros
//! panic then. These take their names, for all of `cli`: a closed standard output ends the command quietly, with everything
//! dropped in order, and what standard error cannot take is lost. What a gate says as it starts is lost too ([`mention`]): it does
//! not stop because nobody reads.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process::ExitCode,
};

/// The exit code of an end because nobody reads: the one a shell gives tools that SIGPIPE ends (128 + 13).
const NOBODY_READS: u8 = 141;

/// What unwinds to [`until_nobody_reads`].
struct NobodyReads;

/// Runs a command; it ends at once where it writes to a standard output that is closed.
pub(crate) fn until_nobody_reads(command: impl FnOnce() -> ExitCode) -> ExitCode {
    match catch_unwind(AssertUnwindSafe(command)) {
        Ok(code) => code,
        Err(cause) if cause.is::<NobodyReads>() => ExitCode::from(NOBODY_READS),
        Err(cause) => resume_unwind(cause),
    }
}

/// What became of a write to standard output: this end of the command where nobody reads any more.
fn written(done: io::Result<()>) -> io::Result<()> {
    match done {
        // Unwinding without the panic hook: this is no fault, and nothing is said. While something else unwinds, that goes on.
        Err(error) if error.kind() == ErrorKind::BrokenPipe && !std::thread::panicking() => {
            resume_unwind(Box::new(NobodyReads))
        }
        done => done,
    }
}

/// Writes to standard output. Only a full disk can be told of, and only to standard error.
pub(crate) fn say(words: fmt::Arguments<'_>) {
    if let Err(error) = written(io::stdout().lock().write_fmt(words)) {
        complain(format_args!("usher: standard output: {error}\n"));
    }
}

/// Writes to standard output as far as anybody reads.
pub(crate) fn mention(words: fmt::Arguments<'_>) {
    let _nobody_reads = io::stdout().lock().write_fmt(words);
}

/// Writes to standard error as far as anybody reads.
pub(crate) fn complain(words: fmt::Arguments<'_>) {
    let _nobody_reads = io::stderr().lock().write_fmt(words);
}

/// Standard output for whoever writes bytes; it is flushed with each write.
pub(crate) struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = io::stdout().lock();
        written(out.write_all(bytes).and_then(|()| out.flush()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        written(io::stdout().lock().flush())
    }
}

macro_rules! print {
    ($($words:tt)*) => { $crate::cli::out::say(format_args!($($words)*)) };
}

macro_rules! println {
    () => { $crate::cli::out::say(format_args!("\n")) };
    ($($words:tt)*) => { $crate::cli::out::say(format_args!("{}\n", format_args!($($words)*))) };
}

macro_rules! eprint {
    ($($words:tt)*) => { $crate::cli::out::complain(format_args!($($words)*)) };
}

macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cli::out::complain(format_args!("{}\n", format_args!($($words)*))) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_in_order_where_nobody_reads_and_a_fault_stays_a_fault() {
        struct Told<'a>(&'a std::cell::Cell<bool>);
        impl Drop for Told<'_> {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let dropped = std::cell::Cell::new(false);
        let code = until_nobody_reads(|| {
            let _kept = Told(&dropped);
            let _never = written(Err(ErrorKind::BrokenPipe.into()));
            ExitCode::SUCCESS
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(141)));
        assert!(dropped.get());
        assert_eq!(written(Err(ErrorKind::StorageFull.into())).unwrap_err().kind(), ErrorKind::StorageFull);
        let fault = catch_unwind(|| until_nobody_reads(|| resume_unwind(Box::new("fault")))).unwrap_err();
        assert_eq!(fault.downcast_ref(), Some(&"fault"));
    }
}
