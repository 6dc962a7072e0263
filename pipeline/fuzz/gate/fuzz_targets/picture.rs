//! Pictures of strangers, decoded: a picture within bounds, or a refusal.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use usher::gallery::picture::{MOST_PIXELS, Picture};

fuzz_target!(
    init: {
        let drawn = DynamicImage::from(RgbImage::from_fn(24, 16, |x, y| Rgb([x as u8 * 9, y as u8 * 13, 77])));
        for (name, picture, format) in [
            ("rgb.jpg", drawn.clone(), ImageFormat::Jpeg),
            ("grey.jpg", drawn.to_luma8().into(), ImageFormat::Jpeg),
            ("rgb.png", drawn.clone(), ImageFormat::Png),
            ("deep.png", drawn.to_rgba16().into(), ImageFormat::Png),
            ("grey.png", drawn.to_luma_alpha8().into(), ImageFormat::Png),
            ("rgb.webp", drawn.clone(), ImageFormat::WebP),
            ("alpha.webp", drawn.to_rgba8().into(), ImageFormat::WebP),
        ] {
            let mut file = Cursor::new(Vec::new());
            picture.write_to(&mut file, format).expect("a vector grows");
            seeds::seed(name, file.get_ref());
        }
    },
    |data: &[u8]| {
        match Picture::decode(data) {
            Ok(picture) => {
                let pixels = u64::from(picture.size().width) * u64::from(picture.size().height);
                assert!((1..=MOST_PIXELS).contains(&pixels) && picture.rgb().len() as u64 == 3 * pixels);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
);
