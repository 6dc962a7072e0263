//! Pictures to enrol from, read with distrust.
//!
//! A picture comes from a stranger's telephone. What it is, is read from its content, never from its name; how large it
//! will be, from its header, before any memory is taken; and a picture that ends too early is refused, not half shown.

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::{
    fs,
    io::{Cursor, Read},
    path::Path,
};
use usher_models::image::{Matrix, Plane, Planes, Range, Size, View};
use zeroize::Zeroizing;

/// Largest file, bytes: 20 MiB.
pub const MOST_BYTES: u64 = 20 << 20;

/// Most pixels: 40 million, more than telephones take.
pub const MOST_PIXELS: u64 = 40_000_000;

/// Longest side, pixels.
const LONGEST: u32 = 16_384;

/// What a decoder may allocate: 40 million pixels of four 16-bit channels, and as much again for its own work.
const MOST_MEMORY: u64 = 2 * 8 * MOST_PIXELS;

/// A decoded picture: upright, interleaved R, G, B, 8 bits. Wiped on drop.
pub struct Picture {
    size: Size,
    rgb: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{}, …)", self.size.width, self.size.height)
    }
}

/// Why a picture cannot be used. Whoever gave it mends it; the file's name is for the caller to add.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It could not be opened or read.
    #[error("the file cannot be read ({0}); check the path and its permissions")]
    Unreadable(std::io::Error),
    /// Not a byte in it.
    #[error("the file is empty; take or copy the picture again")]
    Empty,
    /// More than 20 MiB.
    #[error("the file has {} MiB, pictures may have 20; save it smaller", .0 >> 20)]
    Heavy(u64),
    /// No known picture format.
    #[error("this is no picture, whatever its name says; give a JPEG, PNG or WebP picture")]
    NotAPicture,
    /// A picture, but of a format that is not read.
    #[error("{0} pictures are not read; save it as JPEG, PNG or WebP")]
    Format(&'static str),
    /// More than 40 million pixels, or a very long side.
    #[error(
        "the picture has {width}x{height} pixels, pictures may have 40 million and sides of 16384; save it smaller"
    )]
    Large {
        /// As its header says.
        width: u32,
        /// As its header says.
        height: u32,
    },
    /// It ends too early or contradicts itself.
    #[error("the picture is damaged or cut short ({0}); take or copy it again")]
    Damaged(String),
}

impl Picture {
    /// Reads a file.
    ///
    /// # Errors
    /// [`PictureError`], each with the mend.
    pub fn read(path: &Path) -> Result<Self, PictureError> {
        let file = fs::File::open(path).map_err(PictureError::Unreadable)?;
        let about = file.metadata().map_err(PictureError::Unreadable)?;
        if about.len() > MOST_BYTES {
            return Err(PictureError::Heavy(about.len()));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(about.len() as usize + 1));
        // A pipe or a growing file has no length to go by.
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(PictureError::Unreadable)?;
        Self::decode(&bytes)
    }

    /// Decodes a file's content.
    ///
    /// # Errors
    /// [`PictureError`], each with the mend.
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        if bytes.len() as u64 > MOST_BYTES {
            return Err(PictureError::Heavy(bytes.len() as u64));
        }
        let format = format_of(bytes)?;
        if format == ImageFormat::Jpeg && !jpeg_ends(bytes) {
            return Err(PictureError::Damaged("it ends before its last line".to_owned()));
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_MEMORY);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(damaged)?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MOST_PIXELS || width.max(height) > LONGEST {
            return Err(PictureError::Large { width, height });
        }
        if width == 0 || height == 0 {
            return Err(PictureError::Damaged("it has no pixels".to_owned()));
        }
        // Pictures without EXIF, or with an EXIF that cannot be read, are upright as they are.
        let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
        let mut decoded = DynamicImage::from_decoder(decoder).map_err(damaged)?;
        decoded.apply_orientation(orientation);
        let rgb = decoded.into_rgb8();
        let size = Size { width: rgb.width(), height: rgb.height() };
        Ok(Self { size, rgb: Zeroizing::new(rgb.into_raw()) })
    }

    /// Pixels that were decoded elsewhere: interleaved R, G, B, 8 bits, as many as `size` says.
    pub(crate) fn of_rgb(size: Size, rgb: Zeroizing<Vec<u8>>) -> Self {
        Self { size, rgb }
    }

    /// Interleaved R, G, B, 8 bits, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Its size, upright.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The picture, borrowed.
    pub fn view(&self) -> View<'_> {
        let plane = Plane { data: &self.rgb, stride: 3 * self.size.width as usize };
        View { size: self.size, planes: Planes::Rgb(plane), matrix: Matrix::Bt601, range: Range::Full }
    }
}

fn damaged(error: ImageError) -> PictureError {
    match error {
        ImageError::Unsupported(_) => PictureError::Format("such"),
        ImageError::Limits(_) => PictureError::Damaged("it would need more memory than any honest picture".to_owned()),
        other => PictureError::Damaged(other.to_string()),
    }
}

/// By the first bytes.
fn format_of(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    let brand = bytes.get(4..12).filter(|brand| brand.starts_with(b"ftyp"));
    if brand.is_some_and(|b| [b"heic", b"heix", b"hevc", b"mif1", b"msf1"].iter().any(|heif| b.ends_with(*heif))) {
        return Err(PictureError::Format("HEIC"));
    }
    if bytes.starts_with(b"%PDF") {
        return Err(PictureError::Format("PDF"));
    }
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) => Ok(format),
        Ok(ImageFormat::Gif) => Err(PictureError::Format("GIF")),
        Ok(ImageFormat::Bmp) => Err(PictureError::Format("BMP")),
        Ok(ImageFormat::Tiff) => Err(PictureError::Format("TIFF")),
        Ok(ImageFormat::Avif) => Err(PictureError::Format("AVIF")),
        Ok(ImageFormat::Ico) => Err(PictureError::Format("ICO")),
        Ok(_) => Err(PictureError::Format("such")),
        Err(_) => Err(PictureError::NotAPicture),
    }
}

/// Whether a JPEG has its end marker (ITU-T T.81, B.1.1.2). The decoder shows a cut file with a grey rest, which a
/// detector might take for anything. Segments are walked, since thumbnails inside have end markers of their own.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    while at + 1 < bytes.len() {
        if bytes[at] != 0xFF {
            // Entropy-coded data: 0xFF there is followed by zero, or by a restart marker.
            at += 1;
            continue;
        }
        at += match bytes[at + 1] {
            0xD9 => return true,
            0xFF => 1,
            0x00 | 0x01 | 0xD0..=0xD8 => 2,
            _ => match bytes.get(at + 2..at + 4) {
                Some(length) => 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2),
                None => return false,
            },
        };
    }
    false
}
