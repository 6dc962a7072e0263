//! Signatures of events: this box said it, on this topic, and nobody changed it.
//!
//! Ed25519 (RFC 8032), detached, of the bytes that travel: of the topic, a line feed, and the body up to the signature, which is
//! the body's last field. So nothing needs to be written anew to be held against it, whatever carries bytes carries it, and
//! who does not ask reads JSON as before (docs/decisions/0029).

use crate::gallery::key::{BoxKey, Custody, KeyError};
use data_encoding::HEXLOWER;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::{fmt, path::Path, str::FromStr};

/// The key's file in the data folder, and the systemd credential.
pub const NAME: &str = "events.key";

/// The public half of a credential, in the data folder: a command that is no service of systemd's sees no credential.
const PUBLIC: &str = "events.pub";

const BEFORE: &[u8] = br#","signature":""#;
const AFTER: &[u8] = br#""}"#;
/// Bytes of a signature, and of its hexadecimal digits.
const SIGNATURE: usize = 64;
const DIGITS: usize = 2 * SIGNATURE;

/// Signs the events of this box. `Debug` prints the public key only.
pub struct EventKey(Ed25519KeyPair);

/// What a box's events are held against: written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A text that is no public key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this is no public key; write the 64 hexadecimal digits that `usher events key` prints")]
pub struct NoKey;

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventKey({})", self.public())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let bytes = HEXLOWER.decode(text.trim().to_ascii_lowercase().as_bytes()).map_err(|_| NoKey)?;
        bytes.try_into().map(Self).map_err(|_| NoKey)
    }
}

impl EventKey {
    /// The key of the box with this `data` folder: the systemd credential, else the file there, made at the first start.
    ///
    /// # Errors
    /// When a person must mend the file or the folder.
    pub fn of_box(data: &Path) -> Result<Self, KeyError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        let custody = Custody::called(NAME, credentials.as_deref(), data);
        let key = Self::of(&BoxKey::open_or_make(&custody)?);
        if let Custody::Credential(_) = custody
            && let Err(reason) = std::fs::write(data.join(PUBLIC), format!("{}\n", key.public()))
        {
            tracing::warn!(%reason, "the public key of events could not be written; `usher events key` will not know it");
        }
        Ok(key)
    }

    /// The key made of a seed.
    ///
    /// # Panics
    /// Never: 32 bytes are a seed.
    pub fn of(seed: &BoxKey) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed.bytes()).expect("32 bytes are a seed"))
    }

    /// What others hold its events against.
    ///
    /// # Panics
    /// Never: a public key has 32 bytes.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("a public key has 32 bytes"))
    }

    /// `body`, an object of JSON, as it is sent on `topic`: with its signature as its last field.
    pub fn signed(&self, topic: &str, body: &[u8]) -> Vec<u8> {
        // An empty body takes a retained event back: nothing is said.
        if body.is_empty() {
            return Vec::new();
        }
        let said = body.strip_suffix(b"}").unwrap_or(body);
        let signature = HEXLOWER.encode(self.0.sign(&spoken(topic, said)).as_ref());
        [said, BEFORE, signature.as_bytes(), AFTER].concat()
    }
}

/// What is signed.
fn spoken(topic: &str, said: &[u8]) -> Vec<u8> {
    [topic.as_bytes(), b"\n", said].concat()
}

impl PublicKey {
    /// That of the box with this `data` folder; its secret half is made where there is none.
    ///
    /// # Errors
    /// As [`EventKey::of_box`].
    pub fn of_box(data: &Path) -> Result<Self, KeyError> {
        let told = || std::fs::read_to_string(data.join(PUBLIC)).ok()?.parse().ok();
        let has_none = !data.join(NAME).exists() && std::env::var_os("CREDENTIALS_DIRECTORY").is_none();
        match has_none.then(told).flatten() {
            Some(key) => Ok(key),
            None => EventKey::of_box(data).map(|key| key.public()),
        }
    }

    /// The key with these bytes.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether the box with this key sent `body` on `topic`, as it stands.
    pub fn has_signed(&self, topic: &str, body: &[u8]) -> bool {
        let Some((said, signature)) = parted(body) else { return false };
        UnparsedPublicKey::new(&ED25519, self.0).verify(&spoken(topic, said), &signature).is_ok()
    }
}

/// Whether `body` ends as a signed one does.
pub fn is_signed(body: &[u8]) -> bool {
    parted(body).is_some()
}

/// What was signed of `body`, and the signature.
fn parted(body: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let body = body.strip_suffix(AFTER)?;
    let (rest, digits) = body.split_at_checked(body.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(BEFORE)?, HEXLOWER.decode(digits).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    const TOPIC: &str = "usher/v1/arena/gate/north/visit";

    #[test]
    fn a_signed_event_is_json_whose_last_field_is_its_signature() {
        let key = EventKey::of(&BoxKey::random());
        let sent = key.signed(TOPIC, br#"{"id":"1","data":{"gate":"north"}}"#);
        let read: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!((&read["id"], &read["data"]["gate"]), (&"1".into(), &"north".into()));
        assert_eq!(read["signature"].as_str().unwrap().len(), DIGITS);
        assert!(key.public().has_signed(TOPIC, &sent) && is_signed(&sent));
        assert!(!is_signed(br#"{"id":"1","data":{"gate":"north"}}"#));
        assert!(key.signed(TOPIC, b"").is_empty(), "what takes a retained event back stays empty");
    }

    #[test]
    fn the_key_is_made_once_for_its_owner_alone_and_read_again() {
        let data = tempfile::tempdir().unwrap();
        let first = EventKey::of_box(data.path()).unwrap().public();
        assert_eq!(EventKey::of_box(data.path()).unwrap().public(), first);
        let file = data.path().join(NAME);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = EventKey::of_box(data.path()).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_service_with_a_credential_leaves_its_public_half_for_commands() {
        let data = tempfile::tempdir().unwrap();
        let theirs = EventKey::of(&BoxKey::random()).public();
        std::fs::write(data.path().join(PUBLIC), format!("{theirs}\n")).unwrap();
        assert_eq!(PublicKey::of_box(data.path()).unwrap(), theirs);
        assert!(!data.path().join(NAME).exists(), "no second key is made");
        // A key that is there counts.
        let ours = EventKey::of_box(data.path()).unwrap().public();
        assert_eq!(PublicKey::of_box(data.path()).unwrap(), ours);
    }

    #[test]
    fn a_public_key_is_read_as_it_is_written() {
        let key = EventKey::of(&BoxKey::random()).public();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(format!(" {}\n", key.to_string().to_uppercase()).parse(), Ok(key));
        for wrong in ["", "00", &key.to_string()[1..], &format!("{key}00"), "zz"] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NoKey), "{wrong}");
        }
        assert!(NoKey.to_string().contains("usher events key"));
    }

    #[test]
    fn the_example_of_rfc_8032_holds() {
        // Section 7.1, test 1: the public key of a seed; another library's keys are ours.
        let seed = HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), seed).unwrap();
        std::fs::set_permissions(folder.path().join(NAME), std::fs::Permissions::from_mode(0o600)).unwrap();
        let public = EventKey::of_box(folder.path()).unwrap().public().to_string();
        assert_eq!(public, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    proptest! {
        #[test]
        fn whatever_bit_is_changed_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let key = EventKey::of(&BoxKey::random());
            let mut sent = key.signed(TOPIC, br#"{"id":"1","data":{"gate":"north"}}"#);
            let at = at.index(sent.len());
            sent[at] ^= 1 << bit;
            prop_assert!(!key.public().has_signed(TOPIC, &sent));
        }
    }
}
