//! The `usher` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Half a pipeline is worse than none: a panic anywhere ends the process, and systemd starts a whole one.
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        say(panic);
        std::process::abort();
    }));
    usher::cli::main()
}
