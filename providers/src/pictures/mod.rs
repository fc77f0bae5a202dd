//! Untrusted pictures. Every decode of bytes that a user gave goes through here.
//!
//! The type is decided by magic bytes (PNG, JPEG, WebP and nothing else), the dimensions are read
//! from the header before any pixel is decoded, decoding runs under memory limits, and what leaves
//! is encoded afresh: no metadata, no trailing bytes, no polyglots. All functions block; call them
//! from `spawn_blocking`.

#[cfg(test)]
mod tests;

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};

const JPEG_QUALITY: u8 = 90;
const PREVIEW_JPEG_QUALITY: u8 = 82;
/// Decoders need scratch space besides the pixels; three times RGBA covers the three formats.
const BYTES_PER_PIXEL_MAX: u64 = 12;

/// The limits of an upload. Sizes in bytes and pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    pub max_bytes: usize,
    pub max_pixels: u64,
    /// Both sides must have at least this many pixels.
    pub min_side: u32,
}

impl Default for PictureLimits {
    /// 10 MiB, 40 megapixels, 16 pixels a side.
    fn default() -> Self {
        Self { max_bytes: 10 * 1024 * 1024, max_pixels: 40_000_000, min_side: 16 }
    }
}

impl PictureLimits {
    /// For pictures that were accepted before: encoding them anew may have made them larger than an upload
    /// may be. Their pixels stay bounded.
    pub fn accepted() -> Self {
        Self { max_bytes: usize::MAX, ..Self::default() }
    }
}

/// A picture we encoded ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub bytes: Vec<u8>,
    pub mime: &'static str,
    /// Without the dot.
    pub extension: &'static str,
    pub width: u32,
    pub height: u32,
}

#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum PictureError {
    #[error("the file has {bytes} bytes, allowed are {max}")]
    TooLarge { bytes: usize, max: usize },
    #[error("the file is not a PNG, JPEG or WebP picture")]
    UnsupportedType,
    #[error("the picture has {pixels} pixels, allowed are {max}")]
    TooManyPixels { pixels: u64, max: u64 },
    #[error("the picture cannot be decoded: {reason}")]
    Corrupt { reason: String },
    #[error("the picture is too small")]
    TooSmall,
}

/// Checks and re-encodes an upload: PNG when any pixel is transparent, else JPEG. Upright: an EXIF
/// orientation is applied before the metadata is dropped.
pub fn normalise(bytes: &[u8], limits: &PictureLimits) -> Result<Picture, PictureError> {
    let picture = decode(bytes, limits)?;
    let (width, height) = (picture.width(), picture.height());
    if is_transparent(&picture) {
        let mut out = Cursor::new(Vec::new());
        picture.to_rgba8().write_to(&mut out, ImageFormat::Png).map_err(|e| corrupt(&e))?;
        return Ok(Picture { bytes: out.into_inner(), mime: "image/png", extension: "png", width, height });
    }
    encode_jpeg(&picture, JPEG_QUALITY)
}

/// A small JPEG preview, at most `max_width` wide, never enlarged.
pub fn thumbnail(bytes: &[u8], max_width: u32) -> Result<Picture, PictureError> {
    let picture = decode(bytes, &PictureLimits { min_side: 1, ..PictureLimits::accepted() })?;
    let small = if picture.width() > max_width.max(1) {
        picture.thumbnail(max_width.max(1), u32::MAX)
    } else {
        picture
    };
    encode_jpeg(&small, PREVIEW_JPEG_QUALITY)
}

/// Decodes under the limits, upright.
pub(crate) fn decode(bytes: &[u8], limits: &PictureLimits) -> Result<DynamicImage, PictureError> {
    if bytes.len() > limits.max_bytes {
        return Err(PictureError::TooLarge { bytes: bytes.len(), max: limits.max_bytes });
    }
    let format = format_of(bytes).ok_or(PictureError::UnsupportedType)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut memory = Limits::default();
    memory.max_alloc = Some(limits.max_pixels.saturating_mul(BYTES_PER_PIXEL_MAX));
    reader.limits(memory);
    let mut decoder = reader.into_decoder().map_err(|e| corrupt(&e))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.max_pixels {
        return Err(PictureError::TooManyPixels { pixels, max: limits.max_pixels });
    }
    if width.min(height) < limits.min_side {
        return Err(PictureError::TooSmall);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| corrupt(&e))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(ImageFormat::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(ImageFormat::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        _ => None,
    }
}

fn is_transparent(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX)
}

fn encode_jpeg(picture: &DynamicImage, quality: u8) -> Result<Picture, PictureError> {
    let rgb = on_white(picture);
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).encode_image(&rgb).map_err(|e| corrupt(&e))?;
    Ok(Picture { bytes: out, mime: "image/jpeg", extension: "jpg", width: rgb.width(), height: rgb.height() })
}

/// JPEG has no alpha: what shows through is white, as a browser page would show it.
fn on_white(picture: &DynamicImage) -> image::RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let rgba = picture.to_rgba8();
    image::RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u16::from);
        let over = |channel: u16| u8::try_from((channel * a + 255 * (255 - a)) / 255).unwrap_or(u8::MAX);
        image::Rgb([over(r), over(g), over(b)])
    })
}

fn corrupt(error: &image::ImageError) -> PictureError {
    PictureError::Corrupt { reason: error.to_string() }
}
