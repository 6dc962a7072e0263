//! The secret in a visitor's pass: what only their QR code holds.
//!
//! 128 random bits, never stored. Two values come from it by HKDF-SHA256 (RFC 5869): the *tag*, by which the store finds the
//! row, and the *pass key*, which wraps the visitor's data key where the visitor keeps it. Neither tells the other or the
//! secret, so that whoever has the disk and the box key has nothing to try.

use crate::gallery::key::LENGTH;
use data_encoding::BASE32_NOPAD;
use rand::{TryRng, rngs::SysRng};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a secret: 128 bits.
const SECRET: usize = 16;

/// Letters of a secret in base32 (RFC 4648, no padding).
pub const LETTERS: usize = 26;

/// Bytes of a tag.
pub const TAG: usize = 16;

/// What a pass holds. Wiped on drop; `Debug` prints nothing of it.
#[derive(Clone)]
pub struct PassSecret(Zeroizing<[u8; SECRET]>);

impl std::fmt::Debug for PassSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassSecret(…)")
    }
}

impl PassSecret {
    /// A fresh one.
    ///
    /// # Panics
    /// When the system has no randomness to give; no pass may be made then.
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; SECRET]);
        SysRng.try_fill_bytes(bytes.as_mut_slice()).expect("the system's random source does not fail after boot");
        Self(bytes)
    }

    /// The secret in a pass's text: 26 letters of base32 in either case, alone or behind the last `#`. `None`: no pass of
    /// usher's.
    pub fn of(text: &str) -> Option<Self> {
        let letters = text.rsplit('#').next().unwrap_or(text).trim();
        if letters.len() != LETTERS {
            return None;
        }
        let upper = Zeroizing::new(letters.to_ascii_uppercase());
        let mut plain = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).ok()?);
        let secret = plain.as_slice().try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)));
        plain.zeroize();
        secret
    }

    /// The 26 letters; for the pass and nothing else.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }

    /// What the store finds the row by.
    pub(crate) fn tag(&self) -> [u8; TAG] {
        let mut tag = [0; TAG];
        self.derive(b"usher pass tag 1", &mut tag);
        tag
    }

    /// What wraps the visitor's data key.
    pub(crate) fn key(&self) -> Zeroizing<[u8; LENGTH]> {
        let mut key = Zeroizing::new([0; LENGTH]);
        self.derive(b"usher pass key 1", key.as_mut_slice());
        key
    }

    fn derive(&self, purpose: &[u8], to: &mut [u8]) {
        derive(self.0.as_slice(), purpose, to);
    }
}

/// HKDF-SHA256 of `from` for one `purpose`, as many bytes as `to` has.
pub(crate) fn derive(from: &[u8], purpose: &[u8], to: &mut [u8]) {
    struct Bytes(usize);
    impl KeyType for Bytes {
        fn len(&self) -> usize {
            self.0
        }
    }
    let length = Bytes(to.len());
    Salt::new(HKDF_SHA256, b"usher")
        .extract(from)
        .expand(&[purpose], length)
        .and_then(|made| made.fill(to))
        .expect("a key is far shorter than 255 hashes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_pass_in_any_case_and_behind_any_address() {
        let secret = PassSecret::random();
        let letters = secret.reveal();
        assert_eq!(letters.len(), LETTERS);
        let link = format!("HTTPS://USHER.LOCAL:8443/P#{}", letters.as_str());
        for text in [letters.as_str(), &letters.to_lowercase(), &link, &link.to_lowercase()] {
            assert_eq!(PassSecret::of(text).expect("a pass").tag(), secret.tag());
        }
    }

    #[test]
    fn what_is_no_pass_is_none() {
        for text in
            ["", "#", "hello", "https://example.org/#fragment", &"A".repeat(25), &"1".repeat(26), &"Ä".repeat(13)]
        {
            assert!(PassSecret::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn tag_and_key_are_apart_and_of_this_secret_only() {
        let (one, other) = (PassSecret::random(), PassSecret::random());
        assert_ne!(one.tag(), other.tag());
        assert_ne!(*one.key(), *other.key());
        assert_ne!(one.tag().as_slice(), &one.key()[..TAG]);
    }

    #[test]
    fn derivation_is_rfc_5869() {
        // By hand with another implementation: HKDF-SHA256(ikm = 0x0b * 22, salt = "usher", info = "test", 16 bytes).
        let mut made = [0; 16];
        derive(&[0x0b; 22], b"test", &mut made);
        assert_eq!(data_encoding::HEXLOWER.encode(&made), "f47dabd9fe7b4db6aa95bf5c9a29eca9");
    }
}
