//! `usher manual`: manual pages and completions, made from the command line itself.

use crate::cli::Cli;
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::{Shell, generate_to};
use std::{fs, path::PathBuf, process::ExitCode};

/// Write manual pages and completions of bash, zsh and fish into a folder; `make deb` packs them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder; made where it is not there.
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (pages, completions) = (args.folder.join("man"), args.folder.join("completions"));
    for folder in [&pages, &completions] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    // `usher help COMMAND` says what a page says.
    let mut command = Cli::command().disable_help_subcommand(true);
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "usher", &completions).context("completions")?;
    }
    clap_mangen::generate_to(command, &pages).context("manual pages")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page_and_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        run(&Args { folder: folder.path().to_owned() }).unwrap();
        let read =
            |path: &str| fs::read_to_string(folder.path().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
        let shells = [read("completions/usher.bash"), read("completions/_usher"), read("completions/usher.fish")];
        let command = Cli::command();
        for shown in command.get_subcommands().filter(|shown| !shown.is_hide_set()) {
            let name = shown.get_name();
            assert!(read(&format!("man/usher-{name}.1")).contains(".TH"), "{name}");
            assert!(shells.iter().all(|shell| shell.contains(name)), "{name} is not completed everywhere");
        }
        assert!(read("man/usher.1").contains("78"), "the exit codes are in the manual");
        assert!(
            fs::read_dir(folder.path().join("man")).unwrap().all(|page| !page
                .unwrap()
                .path()
                .display()
                .to_string()
                .contains("-help"))
        );
    }
}
