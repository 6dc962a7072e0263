//! Whether a camera is where cameras may be (`capture.allow`), asked each time that it is opened.
//!
//! A name is looked up here, and `rtsp://` goes to the address that was found, not to whatever the name means a moment later.
//! `rtsps://` keeps its name, which the camera's certificate must bear.

use crate::{
    capture::fault::{Fault, Place},
    supervise,
};
use crossbeam::channel::bounded;
use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    time::Duration,
};
use usher_config::reach::Network;

/// How long a name may take: less than a stage may be silent.
const PATIENCE: Duration = Duration::from_secs(3);
/// Where RTSP is spoken when the URL names no port.
const PORT: u16 = 554;

/// The URL to open for `url`.
///
/// # Errors
/// [`Fault::Outside`] when an address of it is in none of the networks; [`Fault::Unreachable`] when its name is not known.
pub(crate) fn admitted(url: &str, within: &[Network]) -> Result<String, Fault> {
    let place = Place::of_url(url);
    let Place::Net(authority) = &place else { return Ok(url.to_owned()) };
    let host = host_of(authority);
    let may = |address: IpAddr| within.iter().any(|network| network.holds(address));
    if let Ok(address) = host.parse::<IpAddr>() {
        return if may(address) { Ok(url.to_owned()) } else { Err(Fault::Outside(authority.clone())) };
    }
    let addresses = looked_up(host).ok_or_else(|| Fault::Unreachable(authority.clone()))?;
    if !addresses.iter().all(|address| may(address.ip())) {
        return Err(Fault::Outside(authority.clone()));
    }
    let first = addresses.first().ok_or_else(|| Fault::Unreachable(authority.clone()))?.ip();
    // An address with a zone (`fe80::1%eth0`) would lose it.
    if !url.starts_with("rtsp://") || host.contains('%') {
        return Ok(url.to_owned());
    }
    let first = if first.is_ipv6() { format!("[{first}]") } else { first.to_string() };
    Ok(url.replacen(host, &first, 1))
}

/// Whether an element that was given the URL `admitted` may speak where it has got to by now: there, or at an address within. A name
/// that a camera gives is not followed.
pub(crate) fn may_follow(location: &str, admitted: &str, within: &[Network]) -> bool {
    let (Place::Net(now), Place::Net(first)) = (Place::of_url(location), Place::of_url(admitted)) else { return false };
    let address = host_of(&now).parse::<IpAddr>();
    now == first || address.is_ok_and(|address| within.iter().any(|network| network.holds(address)))
}

/// The host of `host:port` or `[v6]:port`.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _port)) => host,
        None => authority.split_once(':').map_or(authority, |(host, _port)| host),
    }
}

/// All addresses of `host`; `None` when nobody knows it in time. The system's resolver cannot be interrupted, so it waits apart.
fn looked_up(host: &str) -> Option<Vec<SocketAddr>> {
    // One answer.
    let (tell, told) = bounded(1);
    let name = host.to_owned();
    let _detached = supervise::spawn("lookup", move || {
        let found = (name.as_str(), PORT).to_socket_addrs().map(Iterator::collect);
        let _late_is_fine = tell.send(found.ok());
    });
    told.recv_timeout(PATIENCE).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_config::reach::private;

    #[test]
    fn a_camera_outside_is_refused_whatever_led_to_it() {
        for url in
            ["rtsp://8.8.8.8/a", "rtsps://8.8.8.8:322/a", "rtsp://[2001:db8::7]:554/a", "rtsp://[::ffff:8.8.8.8]/a"]
        {
            assert!(matches!(admitted(url, &private()), Err(Fault::Outside(_))), "{url}");
        }
        // A name of this machine leads to it, and that is outside of what this list admits.
        let elsewhere: Vec<Network> =
            private().into_iter().filter(|network| !network.holds([127, 0, 0, 1].into())).collect();
        let refused = admitted("rtsp://localhost:8554/a", &elsewhere).unwrap_err();
        assert_eq!(refused, Fault::Outside("localhost:8554".into()));
        assert!(refused.to_string().contains("`capture: { allow: […] }`"), "{refused}");
    }

    #[test]
    fn a_name_is_opened_at_the_address_that_was_looked_at() {
        let url = admitted("rtsp://localhost:8554/main?a=localhost", &private()).unwrap();
        assert!(
            ["rtsp://127.0.0.1:8554/main?a=localhost", "rtsp://[::1]:8554/main?a=localhost"].contains(&url.as_str()),
            "{url}"
        );
        let secure = "rtsps://localhost/main";
        assert_eq!(admitted(secure, &private()).unwrap(), secure);
        assert_eq!(admitted("rtsp://10.0.0.7/main", &private()).unwrap(), "rtsp://10.0.0.7/main");
    }

    #[test]
    fn a_camera_leads_nobody_outside() {
        let may = |location: &str| may_follow(location, "rtsps://camera.local:322/main", &private());
        for inside in ["rtsps://camera.local:322/other", "rtsp://10.0.0.8/main", "rtsp://user:word@[fd00::7]:554/main"]
        {
            assert!(may(inside), "{inside}");
        }
        for outside in ["rtsp://8.8.8.8/main", "rtsp://elsewhere.example/main", "rtsp://10.0.0.8@8.8.8.8/main", ""] {
            assert!(!may(outside), "{outside}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_no_way_out() {
        let refused = admitted("rtsp://camera.invalid/main", &private()).unwrap_err();
        assert_eq!(refused, Fault::Unreachable("camera.invalid".into()));
    }
}
