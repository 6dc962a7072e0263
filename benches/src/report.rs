//! Results on screen and on disk, with machine, commit and command.

use crate::process::root;
use anyhow::Context;
use serde_json::{Value, json};
use std::{path::Path, process::Command};

/// Prints an answer and keeps it as `benches/results/NAME.json`.
pub(crate) fn keep(name: &str, question: &str, answer: &Value) -> anyhow::Result<()> {
    let path = root().join(format!("benches/results/{name}.json"));
    std::fs::create_dir_all(path.parent().context("a results folder")?)?;
    write(&path, &format!("make bench (usher-benches {name})"), question, answer)?;
    println!("{question}\n{}\n", serde_json::to_string_pretty(answer)?);
    Ok(())
}

/// Keeps an answer as the file `path`.
pub(crate) fn write(path: &Path, command: &str, question: &str, answer: &Value) -> anyhow::Result<()> {
    let result = json!({
        "question": question,
        "command": command,
        "machine": machine(),
        "commit": said_by("git", &["describe", "--always", "--dirty"]),
        "answer": answer,
    });
    Ok(std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&result)?))?)
}

fn machine() -> Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    json!({
        "cpu": model.trim_start_matches([' ', '\t', ':']),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": said_by("uname", &["-rm"]),
    })
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(root()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
