//! Ports that stay free until the process for which they are meant listens there.
#![allow(dead_code, reason = "each user of this file needs a part of it")]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::{linux::net::SocketAddrExt as _, unix::net},
    sync::Mutex,
};

/// Below those that Linux gives to whoever asks for any (`ip_local_port_range`): a connection that is opened meanwhile takes none of them.
const FIRST: u16 = 10_000;
const END: u16 = 32_000;

/// A local address where nobody listens, and that no test is given again, of this process or of another, until this process ends.
pub(crate) fn free() -> SocketAddr {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let start = std::process::id() as u16 % (END - FIRST);
    for _ in FIRST..END {
        let port = FIRST + (start + *next) % (END - FIRST);
        *next = (*next + 1) % (END - FIRST);
        let claim = net::SocketAddr::from_abstract_name(format!("usher-test-port-{port}"))
            .and_then(|name| net::UnixListener::bind_addr(&name));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(claim) = claim
            && TcpListener::bind(address).is_ok()
        {
            // Held for as long as the process lives.
            std::mem::forget(claim);
            return address;
        }
    }
    panic!("no port between {FIRST} and {END} is free");
}
