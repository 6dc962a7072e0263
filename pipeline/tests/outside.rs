//! Everything that reads what outsiders write: whatever it is given, it answers, and what it takes in it gives out again.
//!
//! Seeds that are right are changed at random; `USHER_FUZZ` sets how many changes. `make fuzz` does the same guided by coverage
//! (`pipeline/fuzz/`), for these readers and more.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use usher::{
    gallery::{
        audit::deed::Line,
        key::BoxKey,
        name::shown,
        pass::PassSecret,
        picture::Picture,
        receipt::{Signer, signed_by},
    },
    web::enrol::answers::{Enrol, Forget, Open, Secret},
};

/// Bytes changed, cut, doubled and put in at random places, a few at a time.
fn changed(seed: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    const PIECES: [&[u8]; 12] = [
        b"\0",
        b"\"",
        b"{",
        b"[[[[[[[[",
        b"\xff\xd8",
        b"\xf0\x9f\x92\xa9",
        b"\\u0000",
        b"-1e999",
        b"null",
        b"\xe2\x80\xae",
        b"#",
        b"9223372036854775808",
    ];
    let mut bytes = seed.to_vec();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..4) {
            0 if at < bytes.len() => bytes[at] = rng.random(),
            1 => bytes.truncate(at),
            2 => {
                let piece = PIECES[rng.random_range(0..PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            _ => {
                let end = (at + rng.random_range(0..20)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

fn each(seeds: &[&[u8]], mut read: impl FnMut(&[u8])) {
    let rounds: usize = std::env::var("USHER_FUZZ").map_or(3_000, |rounds| rounds.parse().expect("a number"));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for round in 0..rounds {
        read(&changed(seeds[round % seeds.len()], &mut rng));
    }
}

#[test]
fn a_name_that_is_shown_is_shown_the_same_again() {
    let seeds = ["Zoë Ng", "محمد", "민서", "👩‍👩‍👧‍👦 x", "e\u{301}\u{301}\u{301}", "a b  c\u{a0}d"];
    each(&seeds.map(str::as_bytes), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(name) = shown(&text) {
            assert_eq!(shown(&name).as_deref(), Ok(name.as_str()));
            assert!(!name.chars().any(char::is_control) && name.chars().count() <= 40 * 12);
        }
    });
}

#[test]
fn a_pass_is_read_or_not_and_never_otherwise() {
    let pass = PassSecret::random();
    let link = format!("HTTPS://USHER.LOCAL:8443/P#{}", pass.reveal().as_str());
    each(&[link.as_bytes(), pass.reveal().as_bytes(), b"######", b"otpauth://x"], |bytes| {
        if let Some(read) = PassSecret::of(&String::from_utf8_lossy(bytes)) {
            assert_eq!(PassSecret::of(&read.reveal()).unwrap().reveal(), read.reveal());
        }
    });
}

#[test]
fn bodies_of_requests_are_taken_or_refused() {
    let enrol = json!({
        "views": ["aGVsbG8="], "source": "camera", "name": "Ada", "sports": ["Judo"], "language": "en", "food": ["vegan"],
        "arrival": "18:30", "step_free": false, "custody": "visitor",
        "consent": { "notice": "00", "language": "en", "agreed": true, "minor": false, "guardian": null },
    });
    let bodies = [
        enrol.to_string(),
        json!({ "token": "abc", "staff": true }).to_string(),
        json!({ "secret": "A".repeat(26) }).to_string(),
        json!({ "id": uuid::Uuid::nil() }).to_string(),
    ];
    assert!(serde_json::from_str::<Enrol>(&bodies[0]).is_ok());
    let bodies: Vec<&[u8]> = bodies.iter().map(String::as_bytes).collect();
    each(&bodies, |bytes| {
        let _either = serde_json::from_slice::<Enrol>(bytes).is_ok();
        let _either = serde_json::from_slice::<Open>(bytes).is_ok();
        let _either = serde_json::from_slice::<Secret>(bytes).is_ok();
        let _either = serde_json::from_slice::<Forget>(bytes).is_ok();
    });
}

#[test]
fn a_receipt_that_was_changed_is_nobodys_or_says_the_same() {
    let signer = Signer::of(&BoxKey::random());
    let receipt = signer.receipt(&json!({ "who": "x", "until": "2026-12-06T14:00:00Z" }));
    each(&[receipt.to_string().as_bytes()], |bytes| {
        let Ok(read) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
        if signed_by(&read).as_deref() == Some(signer.public()) {
            assert_eq!(read["receipt"], receipt["receipt"]);
        }
    });
}

#[test]
fn lines_of_the_log_are_read_or_refused() {
    let line = r#"{"seq":1,"at":"2026-11-23T05:00:00Z","deed":"forgotten","visitor":"00000000-0000-0000-0000-000000000000","why":"asked","previous":"0","hash":"1","signature":"2"}"#;
    assert!(serde_json::from_str::<Line>(line).is_ok());
    each(&[line.as_bytes()], |bytes| {
        if let Ok(line) = serde_json::from_slice::<Line>(bytes) {
            let again: Line = serde_json::from_str(&serde_json::to_string(&line).unwrap()).unwrap();
            assert_eq!(again, line);
        }
    });
}

#[test]
fn pictures_are_decoded_or_refused() {
    let drawn = image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 13, 77]));
    let file = |format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        drawn.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let [jpeg, png, webp] = [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::WebP].map(file);
    let mut shown = 0;
    each(&[&jpeg, &png, &webp], |bytes| {
        if let Ok(picture) = Picture::decode(bytes) {
            assert!(picture.size().width <= 16_384 && picture.size().height <= 16_384);
            shown += 1;
        }
    });
    assert!(shown > 0, "some changes leave a picture");
}
