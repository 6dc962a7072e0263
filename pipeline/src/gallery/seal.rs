//! Sealing of what visitors told us.
//!
//! Envelope: every visitor has a data key of its own, sealed ("wrapped") by the box key; every personal field and
//! template is sealed by the data key. Where the visitor keeps the key, the data key is sealed by the key of their pass first:
//! then the box alone opens nothing. Destroying the wrapped key thus destroys the visitor. A sealed value is
//! `nonce (24) ‖ ciphertext ‖ tag (16)`, XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), nonces random. What it belongs
//! to is authenticated with it: [`VERSION`], the visitor and the field, so that nothing can be moved to another row or
//! column. This protects what is on disk; it is no protection against whoever holds the box key.

use crate::gallery::{
    key::{BoxKey, LENGTH},
    pass::PassSecret,
    visitor::VisitorId,
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

/// The layout of sealed values; authenticated with each of them.
pub const VERSION: u8 = 1;

const NONCE: usize = 24;

/// A value that does not open: another key, another place, or changed bytes. It does not say which, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open; it was changed, moved or sealed with another key")]
pub struct Unsealable;

/// What a sealed value is; part of what is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// Something known, to tell the right box key from a wrong one.
    Check,
    /// A visitor's wrapped data key, together with the two dates of the row (milliseconds since 1970).
    Key {
        /// When the visitor enrolled.
        enrolled: i64,
        /// When the visitor must be gone.
        expires: i64,
    },
    /// The hash of something that is no secret but must be this box's own: a signature.
    Signature,
    /// The name.
    Name,
    /// The favourite sport.
    Sport,
    /// The household, 16 bytes.
    Household,
    /// The record of the visitor's consent, JSON.
    Consent,
    /// What else the visitor told, JSON.
    Wishes,
    /// One aligned crop of an enrolment picture.
    Picture {
        /// Its number, from 0.
        ordinal: u32,
    },
    /// One template of one model.
    Template {
        /// Its number, from 0.
        ordinal: u32,
        /// The model that made it.
        model: &'a str,
    },
}

/// The key of one visitor. Wiped on drop.
pub(crate) struct DataKey(Zeroizing<[u8; LENGTH]>);

impl DataKey {
    /// A fresh one.
    pub(crate) fn random() -> Self {
        Self(Zeroizing::new(*BoxKey::random().bytes()))
    }

    /// The data key under the box key; where a `pass` is given, under its key first.
    pub(crate) fn wrap(
        &self,
        key: &BoxKey,
        pass: Option<&PassSecret>,
        visitor: VisitorId,
        field: Field<'_>,
    ) -> Vec<u8> {
        match pass {
            None => seal(key.bytes(), visitor, field, self.0.as_slice()),
            Some(pass) => {
                let inner = seal(&pass.key(), visitor, field, self.0.as_slice());
                seal(key.bytes(), visitor, field, &inner)
            }
        }
    }

    /// The data key that was wrapped, with the pass that it was wrapped with.
    pub(crate) fn unwrap(
        key: &BoxKey,
        pass: Option<&PassSecret>,
        visitor: VisitorId,
        field: Field<'_>,
        sealed: &[u8],
    ) -> Result<Self, Unsealable> {
        let mut plain = open(key.bytes(), visitor, field, sealed)?;
        if let Some(pass) = pass {
            plain = open(&pass.key(), visitor, field, &plain)?;
        }
        let bytes = plain.as_slice().try_into().map_err(|_| Unsealable)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Seals one field.
    pub(crate) fn seal(&self, visitor: VisitorId, field: Field<'_>, plain: &[u8]) -> Vec<u8> {
        seal(&self.0, visitor, field, plain)
    }

    /// Opens one field.
    pub(crate) fn open(
        &self,
        visitor: VisitorId,
        field: Field<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        open(&self.0, visitor, field, sealed)
    }
}

/// Seals `plain` so that it opens only with the same key, visitor and field.
pub(crate) fn seal(key: &[u8; LENGTH], visitor: VisitorId, field: Field<'_>, plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    SysRng.try_fill_bytes(&mut nonce).expect("the system's random source does not fail after boot");
    let aad = authenticated(visitor, field);
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
        .expect("a field is far shorter than the cipher's limit");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] sealed.
pub(crate) fn open(
    key: &[u8; LENGTH],
    visitor: VisitorId,
    field: Field<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable)?;
    let aad = authenticated(visitor, field);
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad })
        .map(Zeroizing::new)
        .map_err(|_| Unsealable)
}

/// Unambiguous: fixed lengths first, the one free text last.
fn authenticated(visitor: VisitorId, field: Field<'_>) -> Vec<u8> {
    let mut bytes = b"usher gallery".to_vec();
    bytes.push(VERSION);
    bytes.extend(visitor.0.as_bytes());
    match field {
        Field::Check => bytes.push(0),
        Field::Key { enrolled, expires } => {
            bytes.push(1);
            bytes.extend(enrolled.to_le_bytes());
            bytes.extend(expires.to_le_bytes());
        }
        Field::Signature => bytes.push(5),
        Field::Name => bytes.push(2),
        Field::Sport => bytes.push(3),
        Field::Household => bytes.push(6),
        Field::Consent => bytes.push(8),
        Field::Wishes => bytes.push(9),
        Field::Picture { ordinal } => {
            bytes.push(7);
            bytes.extend(ordinal.to_le_bytes());
        }
        Field::Template { ordinal, model } => {
            bytes.push(4);
            bytes.extend(ordinal.to_le_bytes());
            bytes.extend(model.as_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn somebody(n: u128) -> VisitorId {
        VisitorId(Uuid::from_u128(n))
    }

    fn fields() -> impl Strategy<Value = Field<'static>> {
        prop_oneof![
            Just(Field::Check),
            (any::<i64>(), any::<i64>()).prop_map(|(enrolled, expires)| Field::Key { enrolled, expires }),
            Just(Field::Name),
            Just(Field::Sport),
            Just(Field::Household),
            Just(Field::Consent),
            Just(Field::Wishes),
            (0..4u32).prop_map(|ordinal| Field::Picture { ordinal }),
            (0..4u32, prop_oneof![Just("sface-2021dec"), Just("sface"), Just("")])
                .prop_map(|(ordinal, model)| Field::Template { ordinal, model }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(plain: Vec<u8>, id: u128, field in fields()) {
            let key = BoxKey::random();
            let sealed = seal(key.bytes(), somebody(id), field, &plain);
            prop_assert_eq!(&*open(key.bytes(), somebody(id), field, &sealed).unwrap(), &plain);
        }

        #[test]
        fn one_changed_bit_anywhere_is_refused(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let key = BoxKey::random();
            let mut sealed = seal(key.bytes(), somebody(1), Field::Name, &plain);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(open(key.bytes(), somebody(1), Field::Name, &sealed), Err(Unsealable));
        }

        #[test]
        fn a_value_cut_short_is_refused(plain: Vec<u8>, at: prop::sample::Index) {
            let key = BoxKey::random();
            let sealed = seal(key.bytes(), somebody(1), Field::Sport, &plain);
            let cut = &sealed[..at.index(sealed.len())];
            prop_assert_eq!(open(key.bytes(), somebody(1), Field::Sport, cut), Err(Unsealable));
        }

        #[test]
        fn another_place_is_refused(a in fields(), b in fields(), x in 0..3u128, y in 0..3u128) {
            prop_assume!(a != b || x != y);
            let key = BoxKey::random();
            let sealed = seal(key.bytes(), somebody(x), a, b"value");
            prop_assert_eq!(open(key.bytes(), somebody(y), b, &sealed), Err(Unsealable));
        }
    }

    #[test]
    fn another_key_is_refused() {
        let sealed = seal(BoxKey::random().bytes(), somebody(1), Field::Name, b"value");
        assert_eq!(open(BoxKey::random().bytes(), somebody(1), Field::Name, &sealed), Err(Unsealable));
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let key = BoxKey::random();
        assert_ne!(
            seal(key.bytes(), somebody(1), Field::Name, b"value"),
            seal(key.bytes(), somebody(1), Field::Name, b"value")
        );
    }

    #[test]
    fn a_data_key_opens_only_under_its_box_key_and_dates() {
        let (key, other) = (BoxKey::random(), BoxKey::random());
        let data = DataKey::random();
        let field = Field::Key { enrolled: 1, expires: 2 };
        let wrapped = data.wrap(&key, None, somebody(1), field);
        assert_eq!(wrapped.len(), NONCE + LENGTH + 16);
        let again = DataKey::unwrap(&key, None, somebody(1), field, &wrapped).unwrap();
        assert_eq!(*again.0, *data.0);
        assert!(DataKey::unwrap(&other, None, somebody(1), field, &wrapped).is_err());
        let later = Field::Key { enrolled: 1, expires: 3 };
        assert!(
            DataKey::unwrap(&key, None, somebody(1), later, &wrapped).is_err(),
            "nobody's time can be prolonged by hand"
        );
    }

    #[test]
    fn what_the_visitor_keeps_the_key_of_opens_with_their_pass_only() {
        let (key, pass) = (BoxKey::random(), PassSecret::random());
        let (data, field) = (DataKey::random(), Field::Key { enrolled: 1, expires: 2 });
        let wrapped = data.wrap(&key, Some(&pass), somebody(1), field);
        let unwrap = |key: &BoxKey, pass: Option<&PassSecret>| DataKey::unwrap(key, pass, somebody(1), field, &wrapped);
        assert_eq!(*unwrap(&key, Some(&pass)).unwrap().0, *data.0);
        assert!(unwrap(&key, None).is_err(), "the box alone");
        assert!(unwrap(&key, Some(&PassSecret::random())).is_err(), "another pass");
        assert!(unwrap(&BoxKey::random(), Some(&pass)).is_err(), "the pass without the box");
    }
}
