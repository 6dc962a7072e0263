//! What a gate that runs says of itself.

use super::{Finding, State};
use crate::cli::ask::ask;
use std::{net::SocketAddr, time::Duration};

/// What the gate behind `listen` says; `None` where nobody answers, or somebody who is no gate.
///
/// A gate that runs holds its cameras and ports, so trying them would find them taken.
pub(super) fn asked(listen: SocketAddr, timeout: Duration) -> Option<Vec<Finding>> {
    let ready: serde_json::Value = serde_json::from_str(&ask(listen, "/readyz", timeout)?).ok()?;
    let said = ready["degraded"].as_array()?;
    let state = if ready["ready"] == true {
        Finding::good("gate", format!("runs, its pages on {listen}"))
    } else {
        Finding::doubtful("gate", "runs and is not ready yet", "wait, or read its log: `journalctl -u usher`")
    };
    let degraded = said.iter().filter_map(|text| text.as_str()).map(|text| {
        let (what, found) = text.split_once(": ").unwrap_or(("gate", text));
        Finding::said(what, State::Bad, found)
    });
    let mut findings: Vec<Finding> = std::iter::once(state).chain(degraded).collect();
    if findings.len() == 1 {
        findings.push(Finding::good("cameras, broker", "all of them answer, says the gate"));
    }
    Some(findings)
}
