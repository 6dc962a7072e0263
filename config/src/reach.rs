//! Section `capture`: where cameras may be.
//!
//! A configuration says whom the box calls. Whoever changes one line of it, or the name service, must not make the box call somebody
//! outside; so addresses are held against a list of networks, whatever name led to them. Without a list these are the networks that
//! nobody outside a venue has.

use crate::{
    document::tree::Node,
    text::{Textual, Unfit, textual, unfit},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// Where cameras may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// Networks of RTSP cameras. Default: [`PRIVATE`].
    pub allow: Vec<Network>,
}

/// Networks that are nobody's on the Internet: RFC 1122, 1918, 3927, 4193, 4291.
pub const PRIVATE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Networks in which RTSP cameras may be, whatever name led to them; without it those that are private.
    #[garde(length(min = 1, max = 64))]
    pub allow: Vec<Network>,
}

impl Default for Written {
    fn default() -> Self {
        Self { allow: private() }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Reach {
        Reach { allow: self.allow.clone() }
    }
}

/// [`PRIVATE`], read.
///
/// # Panics
/// Never: they are networks.
pub fn private() -> Vec<Network> {
    PRIVATE.iter().map(|text| Network::read(text).expect("the private networks are networks")).collect()
}

/// Addresses that begin alike, written `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Bits that addresses have in common: 0..=32, of IPv6 0..=128.
    bits: u8,
}

textual!(Network, "network", "192.168.50.0/24");

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Textual for Network {
    fn read(text: &str) -> Result<Self, Unfit> {
        const MEND: &str = "write an address and how many bits of it count, such as `192.168.50.0/24`";
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let Ok(address) = address.parse::<IpAddr>() else {
            return unfit(format!("`{text}` is no network"), MEND);
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse);
        let Some(bits) = bits.ok().filter(|bits| *bits <= most) else {
            return unfit(format!("`{text}` has no length from 0 to {most}"), MEND);
        };
        let network = Self { address, bits };
        let begin = network.begin();
        if begin == address {
            Ok(network)
        } else {
            unfit(format!("`{text}` begins within a network"), format!("write `{begin}/{bits}`"))
        }
    }
}

impl Network {
    /// Whether `address` is one of it. An IPv4 address in the clothes of IPv6 is that IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                head(mine.to_bits().into(), self.bits, 32) == head(other.to_bits().into(), self.bits, 32)
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                head(mine.to_bits(), self.bits, 128) == head(other.to_bits(), self.bits, 128)
            }
            _ => false,
        }
    }

    fn begin(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let bits = head(address.to_bits().into(), self.bits, 32);
                std::net::Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or_default()).into()
            }
            IpAddr::V6(address) => std::net::Ipv6Addr::from_bits(head(address.to_bits(), self.bits, 128)).into(),
        }
    }
}

/// The first `bits` of so many, the others nought.
fn head(address: u128, bits: u8, of: u8) -> u128 {
    let rest = u32::from(of - bits);
    address.checked_shr(rest).and_then(|head| head.checked_shl(rest)).unwrap_or(0)
}

pub(crate) const MEND: &str = "mend the address, or write the camera's network in `capture: { allow: […] }`";

/// What is wrong with `host`, where it is an address and stands outside; names are asked for when a camera is opened.
pub(crate) fn refused(root: &Node, host: &str) -> Option<String> {
    let address: IpAddr = host.parse().ok()?;
    let written = root.get("capture").and_then(|capture| capture.get("allow"));
    // A list that is wrong itself is said to be; that nothing is in it would be said of every camera.
    let allow = match written {
        Some(list) => list.items().iter().map(|item| Network::read(item.text()?).ok()).collect::<Option<Vec<_>>>()?,
        None => private(),
    };
    if allow.is_empty() {
        return None;
    }
    let is_within = allow.iter().any(|network| network.holds(address));
    (!is_within).then(|| format!("`{host}` is in no network that `capture.allow` admits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        Network::read(network).unwrap().holds(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_own_and_nobody_else() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.168.50.0/24", "192.168.50.255", "192.168.51.0"),
            ("192.168.50.7", "192.168.50.7", "192.168.50.6"),
            ("0.0.0.0/0", "8.8.8.8", "2001:db8::1"),
            ("::/0", "2001:db8::1", "8.8.8.8"),
            ("fc00::/7", "fdff::1", "fe00::1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
            assert!(!holds(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn the_private_networks_hold_what_is_a_venues_own() {
        let within = |address: &str| private().iter().any(|network| network.holds(address.parse().unwrap()));
        for mine in ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.9", "169.254.7.7", "::1", "fd00::7", "fe80::1"] {
            assert!(within(mine), "{mine}");
        }
        for others in ["8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "2001:4860:4860::8888", "0.0.0.0", "::"] {
            assert!(!within(others), "{others}");
        }
    }

    #[test]
    fn what_is_no_network_is_said_with_the_mend() {
        for (wrong, mend) in [
            ("10.0.0.0/33", "192.168.50.0/24"),
            ("10.0.0/8", "192.168.50.0/24"),
            ("venue", "192.168.50.0/24"),
            ("10.0.0.1/8", "write `10.0.0.0/8`"),
            ("fe80::1/10", "write `fe80::/10`"),
        ] {
            let unfit = Network::read(wrong).unwrap_err();
            assert!(unfit.message.contains(wrong) && unfit.mend.contains(mend), "{unfit}");
        }
        assert_eq!(Network::read("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
    }
}
