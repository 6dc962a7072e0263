//! Receipts that somebody shows: whatever was changed, nothing else passes for signed.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;
#[path = "../signer.rs"]
mod signer;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_slice, json};
use signer::SIGNER;
use std::sync::LazyLock;
use usher::gallery::receipt::signed_by;

static RECEIPT: LazyLock<Value> = LazyLock::new(|| {
    SIGNER.receipt(&json!({ "who": "x", "until": "2026-12-06T14:00:00Z", "list": [1, 2.5, null, true] }))
});

fuzz_target!(
    init: { seeds::seed("own", RECEIPT.to_string().as_bytes()); },
    |data: &[u8]| {
        if let Ok(read) = from_slice::<Value>(data)
            && let Some(public) = signed_by(&read)
            && public == SIGNER.public()
        {
            assert_eq!(read["receipt"], RECEIPT["receipt"], "signed by this box, and not what it signed");
        }
    }
);
