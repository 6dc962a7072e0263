//! Bodies of events, as a listener hears them: believed when the box signed them, once, and never when one bit is another.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;
#[path = "../signer.rs"]
mod signer;

use libfuzzer_sys::fuzz_target;
use signer::BOX;
use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};
use usher::publish::{signature::EventKey, trust::Listener};

static KEY: LazyLock<EventKey> = LazyLock::new(|| EventKey::of(&BOX));
const TOPIC: &str = "usher/v1/arena/gate/north/visit";

fuzz_target!(
    init: {
        let head = r#"{"id":"018f","source":"/usher/arena/box","specversion":"1.0","type":"x","time":"2026-11-23T05:00:00Z""#;
        seeds::seed("visit", format!(r#"{head},"expiresat":"2026-11-23T05:00:10Z","data":{{}}}}"#).as_bytes());
        seeds::seed("state", format!(r#"{head},"data":{{}}}}"#).as_bytes());
    },
    |body: &[u8]| {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_410_003);
        let mut listener = Listener::new(vec![KEY.public()], "usher/v1/arena/#", Duration::from_secs(60));
        let _unsigned_or_not = listener.believe(TOPIC, body, now);
        let mut signed = KEY.signed(TOPIC, body);
        if listener.believe(TOPIC, &signed, now).is_ok() {
            assert!(listener.believe(TOPIC, &signed, now).is_err(), "it was heard before");
        }
        // What is no event stays unsigned; nothing has no bit to change.
        let Some(first) = body.first() else { return };
        let at = usize::from(*first) * signed.len() / 256;
        signed[at] ^= 1;
        let mut another = Listener::new(vec![KEY.public()], "usher/v1/arena/#", Duration::from_secs(60));
        assert!(another.believe(TOPIC, &signed, now).is_err(), "it is another");
    }
);
