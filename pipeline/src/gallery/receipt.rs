//! Receipts: what the box did, signed, for whoever wants to hold it to that.
//!
//! Ed25519 (RFC 8032). The signing key comes from the box key by HKDF, so that there is no second file to keep; the
//! public key stands in every receipt, and `usher audit key` prints it, so that a receipt can be held against the box's.
//! What is signed is the JSON of `receipt` with its keys sorted and without blanks.

use crate::gallery::{key::BoxKey, pass::derive};
use data_encoding::HEXLOWER;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Signs in the name of this box. `Debug` prints the public key only.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public)
    }
}

impl Signer {
    /// The signer of the box with this key.
    ///
    /// # Panics
    /// Never: 32 bytes are a seed.
    pub fn of(key: &BoxKey) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        derive(key.bytes(), b"usher signing key 1", seed.as_mut_slice());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("32 bytes are a seed");
        let public = HEXLOWER.encode(pair.public_key().as_ref());
        Self { pair, public }
    }

    /// The public key, 64 hexadecimal digits.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// A signature of these bytes, 128 hexadecimal digits.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        HEXLOWER.encode(self.pair.sign(bytes).as_ref())
    }

    /// `what`, signed: `{ receipt, signed: { algorithm, key, signature } }`.
    pub fn receipt(&self, what: &Value) -> Value {
        let signature = self.sign(&bytes(what));
        json!({ "receipt": what, "signed": { "algorithm": "Ed25519", "key": self.public, "signature": signature } })
    }
}

/// What is signed of a receipt: sorted keys, no blanks.
fn bytes(what: &Value) -> Vec<u8> {
    what.to_string().into_bytes()
}

/// Whether `signature` (hexadecimal) is one of `bytes` by the box with this `public` key (hexadecimal).
pub(crate) fn is_signed(public: &str, bytes: &[u8], signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (HEXLOWER.decode(public.as_bytes()), HEXLOWER.decode(signature.as_bytes())) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature).is_ok()
}

/// Whether a receipt is whole, and which box signed it: its public key.
pub fn signed_by(receipt: &Value) -> Option<String> {
    let signed = receipt.get("signed")?;
    let (key, signature) = (signed.get("key")?.as_str()?, signed.get("signature")?.as_str()?);
    is_signed(key, &bytes(receipt.get("receipt")?), signature).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_this_boxes_and_unchanged() {
        let (ours, theirs) = (Signer::of(&BoxKey::random()), Signer::of(&BoxKey::random()));
        let receipt = ours.receipt(&json!({ "b": 1, "a": ["x", null] }));
        assert_eq!(signed_by(&receipt).as_deref(), Some(ours.public()));
        assert_ne!(ours.public(), theirs.public());
        // As any JSON tool writes it again: blanks and another order of keys change nothing.
        let again: Value = serde_json::from_str(&serde_json::to_string_pretty(&receipt).unwrap()).unwrap();
        assert_eq!(signed_by(&again).as_deref(), Some(ours.public()));
        let mut changed = receipt.clone();
        changed["receipt"]["b"] = json!(2);
        assert_eq!(signed_by(&changed), None);
        let mut posed = receipt;
        posed["signed"]["key"] = json!(theirs.public());
        assert_eq!(signed_by(&posed), None);
        assert_eq!(signed_by(&json!({ "receipt": {} })), None);
    }

    #[test]
    fn keys_are_sorted_wherever_they_came_from() {
        assert_eq!(bytes(&json!({ "b": 1, "a": { "d": 2, "c": 3 } })), br#"{"a":{"c":3,"d":2},"b":1}"#);
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = BoxKey::random();
        let shown = format!("{:?}", Signer::of(&key));
        assert!(!shown.contains(&HEXLOWER.encode(key.bytes())), "{shown}");
    }
}
