//! Signatures of the box: what it wrote itself, nobody else changed.
//!
//! The SHA-256 of a text, sealed with the box key. Whoever holds the key can sign; nobody else can, and a text of another box
//! is not this one's.

use crate::gallery::{
    key::BoxKey,
    seal::{Field, open, seal},
    visitor::VisitorId,
};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use uuid::Uuid;

const NOBODY: VisitorId = VisitorId(Uuid::nil());

/// The signature of `text`, in hexadecimal digits.
pub fn sign(key: &BoxKey, text: &str) -> String {
    let sealed = seal(key.bytes(), NOBODY, Field::Signature, Sha256::digest(text).as_slice());
    sealed.iter().fold(String::with_capacity(2 * sealed.len()), |mut digits, byte| {
        let _string = write!(digits, "{byte:02x}");
        digits
    })
}

/// Whether `signature` is this box's signature of `text`.
pub fn is_signed(key: &BoxKey, text: &str, signature: &str) -> bool {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let (pairs, rest) = signature.as_bytes().as_chunks::<2>();
    let sealed: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    let Some(sealed) = sealed.filter(|_| rest.is_empty()) else { return false };
    open(key.bytes(), NOBODY, Field::Signature, &sealed)
        .is_ok_and(|hash| hash.as_slice() == Sha256::digest(text).as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_text_by_this_box_is_signed() {
        let (ours, theirs) = (BoxKey::random(), BoxKey::random());
        let signature = sign(&ours, "t = .42");
        assert!(is_signed(&ours, "t = .42", &signature));
        assert!(!is_signed(&ours, "t = .41", &signature));
        assert!(!is_signed(&theirs, "t = .42", &signature));
        for wrong in ["", "0", "zz", "äöü", &signature[2..], &format!("{signature}0")] {
            assert!(!is_signed(&ours, "t = .42", wrong), "{wrong}");
        }
    }
}
