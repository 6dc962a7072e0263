//! What a gate that runs says of itself.

use super::{Finding, State};
use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Most bytes of an answer.
const MOST: u64 = 256 * 1024;

/// What the gate behind `listen` says; `None` where nobody answers, or somebody who is no gate.
///
/// A gate that runs holds its cameras and ports, so trying them would find them taken.
pub(super) fn asked(listen: SocketAddr, timeout: Duration) -> Option<Vec<Finding>> {
    let ready = answer(here(listen), timeout)?;
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

/// Whoever listens everywhere is reached here.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn answer(address: SocketAddr, timeout: Duration) -> Option<serde_json::Value> {
    let mut stream = TcpStream::connect_timeout(&address, timeout).ok()?;
    stream.set_read_timeout(Some(timeout)).ok()?;
    stream.set_write_timeout(Some(timeout)).ok()?;
    let question = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).ok()?;
    let mut text = String::new();
    stream.take(MOST).read_to_string(&mut text).ok()?;
    serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
}
