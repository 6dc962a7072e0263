//! Pictures of people who mean harm: an error each, and the program that reads them goes on.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use flate2::{Compression, write::ZlibEncoder};
use gate::pictures;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{fs, io::Write, path::Path};
use usher::gallery::{decoder::Decoder, picture::PictureError};

fn decoder() -> Decoder {
    Decoder::new(Path::new(env!("CARGO_BIN_EXE_usher")))
}

/// A PNG of so many pixels, all black, in a few kilobytes.
fn bomb(side: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &crc.sum().to_be_bytes()].concat()
    };
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    let mut zip = ZlibEncoder::new(Vec::new(), Compression::best());
    let row = vec![0; 1 + (side as usize).div_ceil(8)];
    for _ in 0..side {
        zip.write_all(&row).unwrap();
    }
    let data = zip.finish().unwrap();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", &data), &chunk(b"IEND", &[])].concat()
}

#[test]
fn a_child_decodes_what_is_honest_and_survives_what_is_not() {
    let honest = fs::read(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let mut decoder = decoder();
    let size = decoder.decode(&honest).unwrap().size();
    assert!(size.width > 100 && size.height > 100);

    let bomb = bomb(30_000);
    assert!(bomb.len() < 200_000);
    assert!(matches!(decoder.decode(&bomb), Err(PictureError::Large { width: 30_000, height: 30_000 })));
    assert!(matches!(decoder.decode(b""), Err(PictureError::Empty)));
    assert!(matches!(decoder.decode(b"#!/bin/sh\necho pwned\n"), Err(PictureError::NotAPicture)));
    assert!(matches!(decoder.decode(b"GIF89a........"), Err(PictureError::Format("GIF"))));
    assert!(matches!(decoder.decode(&honest[..honest.len() / 2]), Err(PictureError::Damaged(_))));
    // Polyglots: a picture that is a page as well is a picture here, and nothing else of it is kept; a page is none.
    let polyglot = [honest.as_slice(), b"<script>alert(1)</script>"].concat();
    assert_eq!(decoder.decode(&polyglot).unwrap().size(), size);
    assert!(matches!(decoder.decode(&[b"<html>".as_slice(), &honest].concat()), Err(PictureError::NotAPicture)));

    // Bytes changed at random: an error or a picture, and the child is there for the next.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut refused, mut shown) = (0, 0);
    for _ in 0..150 {
        let mut changed = honest.clone();
        for _ in 0..rng.random_range(1..40) {
            let at = rng.random_range(0..changed.len().min(4000));
            changed[at] = rng.random();
        }
        match decoder.decode(&changed) {
            Ok(_) => shown += 1,
            Err(error) => {
                assert!(!error.to_string().contains('\u{fffd}'), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && shown > 0, "{refused} refused, {shown} shown");
    assert_eq!(decoder.decode(&honest).unwrap().size(), size);
}

#[test]
fn the_child_opens_no_file_and_dumps_no_core() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_usher"))
        .arg("decode-pictures")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // An answer to the first picture: the limits are set by then.
    let mut to = child.stdin.take().unwrap();
    to.write_all(&1_u32.to_le_bytes()).unwrap();
    to.write_all(b"x").unwrap();
    to.flush().unwrap();
    let mut first = [0; 4];
    std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut first).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    for (limit, most) in
        [("Max open files", "3"), ("Max core file size", "0"), ("Max file size", "0"), ("Max processes", "0")]
    {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        let value = line[limit.len()..].split_whitespace().next();
        assert_eq!(value, Some(most), "{line}");
    }
    drop(to);
    assert!(child.wait().unwrap().success());
}
