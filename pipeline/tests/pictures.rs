//! Pictures to enrol from are read with distrust, and every refusal says what to do.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, codecs};
use proptest::prelude::*;
use std::{fs, io::Cursor};
use usher::gallery::picture::{MOST_BYTES, Picture, PictureError};
use usher_models::image::{Planes, Size};

/// Red top left, green top right, blue bottom left, white bottom right; lying.
fn four_corners() -> RgbImage {
    RgbImage::from_fn(64, 32, |x, y| match (x < 32, y < 16) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([255, 255, 255]),
    })
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .unwrap(),
        format => DynamicImage::from(picture.clone()).write_to(&mut bytes, format).unwrap(),
    }
    bytes.into_inner()
}

/// An APP1 segment with one entry in its one directory: the orientation (TIFF 6.0, tag 0x0112, SHORT).
fn with_orientation(jpeg: &[u8], orientation: u8, big_endian: bool) -> Vec<u8> {
    let two = |v: u16| if big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
    let four = |v: u32| if big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend(if big_endian { b"MM" } else { b"II" });
    exif.extend(
        [
            &two(42)[..],
            &four(8),
            &two(1),
            &two(0x0112),
            &two(3),
            &four(1),
            &two(u16::from(orientation)),
            &two(0),
            &four(0),
        ]
        .concat(),
    );
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn at(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let Planes::Rgb(plane) = picture.view().planes else { panic!("pictures are RGB") };
    let at = y as usize * plane.stride + 3 * x as usize;
    [plane.data[at], plane.data[at + 1], plane.data[at + 2]].map(|v| if v > 127 { 255 } else { 0 })
}

/// The four corners as they are shown.
fn corners(picture: &Picture) -> String {
    let Size { width, height } = picture.size();
    let name = |(x, y)| match at(picture, x, y) {
        [255, 0, 0] => 'r',
        [0, 255, 0] => 'g',
        [0, 0, 255] => 'b',
        [255, 255, 255] => 'w',
        other => panic!("{other:?}"),
    };
    [(4, 4), (width - 5, 4), (4, height - 5), (width - 5, height - 5)].map(name).iter().collect()
}

fn said(bytes: &[u8]) -> String {
    Picture::decode(bytes).unwrap_err().to_string()
}

#[test]
fn jpeg_png_and_webp_are_read_by_content() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let picture = Picture::decode(&encoded(&four_corners(), format)).unwrap();
        assert_eq!(
            (corners(&picture).as_str(), picture.size()),
            ("rgbw", Size { width: 64, height: 32 }),
            "{format:?}"
        );
    }
}

#[test]
fn all_eight_orientations_are_shown_upright() {
    let jpeg = encoded(&four_corners(), ImageFormat::Jpeg);
    // What the first row and column of the stored picture are, EXIF 2.32, 4.6.4 A.
    let expected = ["rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"];
    for (orientation, shown) in (1..).zip(expected) {
        for big_endian in [true, false] {
            let picture = Picture::decode(&with_orientation(&jpeg, orientation, big_endian)).unwrap();
            assert_eq!(corners(&picture), shown, "orientation {orientation}");
            let lies = orientation <= 4;
            assert_eq!(picture.size().width, if lies { 64 } else { 32 });
        }
    }
    for nonsense in [0, 9, 255] {
        let picture = Picture::decode(&with_orientation(&jpeg, nonsense, true)).unwrap();
        assert_eq!(corners(&picture), "rgbw", "an orientation that does not exist is none");
    }
}

#[test]
fn what_is_no_picture_is_refused_with_the_mend() {
    assert_eq!(said(b""), "the file is empty; take or copy the picture again");
    let text = "Dear aunt, here is my picture. ".repeat(20);
    assert_eq!(said(text.as_bytes()), "this is no picture, whatever its name says; give a JPEG, PNG or WebP picture");
    for (bytes, name) in [
        (&b"GIF89a\x01\x00\x01\x00\x00\x00\x00"[..], "GIF"),
        (b"BM\x3a\x00\x00\x00\x00\x00\x00\x00", "BMP"),
        (b"II\x2a\x00\x08\x00\x00\x00", "TIFF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
        (b"%PDF-1.7 ...", "PDF"),
    ] {
        assert_eq!(said(bytes), format!("{name} pictures are not read; save it as JPEG, PNG or WebP"));
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.jpg");
    let missing = Picture::read(&path).unwrap_err().to_string();
    assert!(
        missing.starts_with("the file cannot be read (No such file")
            && missing.ends_with("check the path and its permissions")
    );
    assert!(matches!(Picture::read(folder.path()), Err(PictureError::Unreadable(_))), "a folder");
    fs::write(&path, "just text").unwrap();
    assert!(Picture::read(&path).unwrap_err().to_string().contains("no picture, whatever its name says"));
    fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
    assert_eq!(
        Picture::read(&path).unwrap_err().to_string(),
        "the file has 20 MiB, pictures may have 20; save it smaller"
    );
    fs::write(&path, encoded(&four_corners(), ImageFormat::Png)).unwrap();
    assert!(Picture::read(&path).is_ok(), "a PNG called .jpg is a picture");
}

#[test]
fn a_picture_cut_short_is_refused_with_the_mend() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(&four_corners(), format);
        for keep in [whole.len() / 3, whole.len() / 2, whole.len() - 12] {
            let said = said(&whole[..keep]);
            assert!(
                said.starts_with("the picture is damaged or cut short") && said.ends_with("take or copy it again"),
                "{format:?}: {said}"
            );
        }
    }
    // A telephone's moving picture hangs on behind the end marker; a thumbnail has an end marker of its own in front.
    let jpeg = encoded(&four_corners(), ImageFormat::Jpeg);
    assert!(Picture::decode(&[&jpeg[..], b"a moving picture"].concat()).is_ok());
    let mut with_thumbnail = jpeg[..2].to_vec();
    with_thumbnail.extend([0xFF, 0xE2, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9]);
    with_thumbnail.extend(&jpeg[2..]);
    assert!(Picture::decode(&with_thumbnail).is_ok());
    assert!(Picture::decode(&with_thumbnail[..with_thumbnail.len() - 40]).is_err());
}

#[test]
fn a_hundred_megapixels_are_refused_by_the_header_before_memory_is_taken() {
    let large = "the picture has 10000x10000 pixels, pictures may have 40 million and sides of 16384; save it smaller";
    let side = 10_000_u32;

    let mut png = encoded(&four_corners(), ImageFormat::Png);
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    assert_eq!(said(&png), large);

    let mut jpeg = encoded(&four_corners(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    for at in [frame + 5, frame + 7] {
        jpeg[at..at + 2].copy_from_slice(&(side as u16).to_be_bytes());
    }
    assert_eq!(said(&jpeg), large);

    let mut webp = encoded(&four_corners(), ImageFormat::WebP);
    let header = webp.windows(4).position(|name| name == b"VP8L").unwrap() + 9;
    let flags = u32::from_le_bytes(webp[header..header + 4].try_into().unwrap()) & 0xF000_0000;
    let sides = (side - 1) | (side - 1) << 14 | flags;
    webp[header..header + 4].copy_from_slice(&sides.to_le_bytes());
    assert_eq!(said(&webp), large);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_bytes_whatever_end_the_process(
        which in 0..3usize, harm in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut: prop::sample::Index
    ) {
        let format = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP][which];
        let mut bytes = encoded(&four_corners(), format);
        for (at, byte) in &harm {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let _either = Picture::decode(&bytes);
        let _either = Picture::decode(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn noise_is_no_picture(bytes: Vec<u8>) {
        prop_assert!(Picture::decode(&bytes).is_err());
    }
}
