//! The symbol reader: grey pictures as they are, and pictures of symbols whose modules were chosen one by one.
//!
//! The first byte says which. Pixels: the second is the width, the rest are rows. Modules: the second is the version, the
//! rest are bits, eight modules a byte; finder patterns and timing stay, so that the reader gets as far as the bits.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use qrcode::{Color, EcLevel, QrCode, Version};
use usher_models::{
    image::{Plane, Size},
    symbol::Reader,
};

/// Pixels a module: as few as are read for sure, so that many pictures are.
const MODULE: usize = 2;
const WHITE: usize = 4 * MODULE;

fn code(version: i16) -> QrCode {
    let text = &"HTTPS://USHER.LOCAL:8443/P#ABCDEFGHIJKLMNOPQRSTUVWXYZ"[..if version > 2 { 53 } else { 20 }];
    QrCode::with_version(text, Version::Normal(version), EcLevel::L).expect("the text fits")
}

/// Where finder patterns with their white, and timing patterns, lie.
fn is_fixed(x: usize, y: usize, width: usize) -> bool {
    (x < 8 && y < 8) || (x + 8 >= width && y < 8) || (x < 8 && y + 8 >= width) || x == 6 || y == 6
}

/// A symbol's picture; `module` says of each that is not fixed whether it is dark.
fn drawn(version: i16, mut module: impl FnMut(usize, bool) -> bool) -> (Vec<u8>, Size) {
    let code = code(version);
    let (width, side) = (code.width(), code.width() * MODULE + 2 * WHITE);
    let mut luma = vec![200; side * side];
    for y in 0..width {
        for x in 0..width {
            let own = code[(x, y)] == Color::Dark;
            if if is_fixed(x, y, width) { own } else { module(y * width + x, own) } {
                for row in 0..MODULE {
                    let at = (WHITE + y * MODULE + row) * side + WHITE + x * MODULE;
                    luma[at..at + MODULE].fill(30);
                }
            }
        }
    }
    (luma, Size { width: side as u32, height: side as u32 })
}

fn read(luma: &[u8], size: Size) -> usize {
    let codes = Reader::new().read(Plane { data: luma, stride: size.width as usize }, size);
    for code in &codes {
        assert!(code.corners.iter().all(|corner| corner.x.is_finite() && corner.y.is_finite()));
    }
    codes.len()
}

fuzz_target!(
    init: {
        for version in 2..=6 {
            let (luma, size) = drawn(version, |_, own| own);
            assert_eq!(read(&luma, size), 1, "a seed is read");
            seeds::seed(&format!("pixels-{version}"), &[&[0, size.width as u8][..], &luma].concat());
            let mut bits = vec![0_u8; code(version).width().pow(2).div_ceil(8)];
            drawn(version, |at, own| {
                bits[at / 8] |= u8::from(own) << (at % 8);
                own
            });
            seeds::seed(&format!("modules-{version}"), &[&[1, version as u8][..], &bits].concat());
        }
    },
    |data: &[u8]| {
        let [kind, second, rest @ ..] = data else { return };
        if kind % 2 == 0 {
            let width = usize::from(*second).max(1);
            let size = Size { width: width as u32, height: (rest.len() / width) as u32 };
            read(rest, size);
        } else {
            let version = 2 + i16::from(second.wrapping_sub(2) % 5);
            let (luma, size) = drawn(version, |at, own| rest.get(at / 8).map_or(own, |byte| byte >> (at % 8) & 1 == 1));
            read(&luma, size);
        }
    }
);
