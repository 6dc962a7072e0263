//! `usher-sim`: simulated venue days, by seed.

fn main() -> std::process::ExitCode {
    usher_sim::cli::main()
}
