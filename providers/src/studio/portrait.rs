//! The user's face and logo: decoded under limits, cut and scaled for the canvas.

use std::sync::Arc;

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
    imageops,
};

use crate::{
    analyzer::skin_patch,
    pictures::{PictureError, PictureLimits, decode},
    ports::ProviderError,
};

const FACE_SIDE: u32 = 520;
/// Side of the square around a face, in heights of its skin.
const HEAD_ROOM: f32 = 2.1;
const LOGO_SIDE: u32 = 300;
/// Side of the copy on which transparency is counted.
const SAMPLE_SIDE: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cutout {
    Opaque,
    /// The background was already removed.
    Transparent,
}

/// A picture ready to be placed.
#[derive(Debug, Clone)]
pub(crate) struct Portrait {
    pub png: Arc<Vec<u8>>,
    pub width: f32,
    pub height: f32,
    pub cutout: Cutout,
}

/// A square around the face. Without skin tones it is the upper middle, where heads are.
pub(crate) fn face(bytes: &[u8]) -> Result<Portrait, ProviderError> {
    let picture = decode(bytes, &PictureLimits::accepted()).map_err(|error| refused(&error))?;
    let (width, height) = (picture.width(), picture.height());
    let shorter = width.min(height);
    let patch = skin_patch(&picture);
    let (cx, cy) = patch.map_or((0.5, if height > width { 0.4 } else { 0.5 }), |(x, y, _)| (x, y));
    let head = patch.map_or(shorter as f32, |(.., tall)| tall * height as f32 * HEAD_ROOM);
    let side = (head as u32).clamp(shorter * 2 / 5, shorter);
    let start = |center: f32, length: u32| {
        let start = center * length as f32 - side as f32 / 2.0;
        start.clamp(0.0, (length - side) as f32) as u32
    };
    let square = picture.crop_imm(start(cx, width), start(cy, height), side, side);
    encode(&square.resize_exact(FACE_SIDE, FACE_SIDE, imageops::FilterType::Triangle))
}

/// The whole logo, small.
pub(crate) fn logo(bytes: &[u8]) -> Result<Portrait, ProviderError> {
    let picture = decode(bytes, &PictureLimits::accepted()).map_err(|error| refused(&error))?;
    encode(&picture.resize(LOGO_SIDE, LOGO_SIDE, imageops::FilterType::Triangle))
}

fn encode(picture: &DynamicImage) -> Result<Portrait, ProviderError> {
    let small = picture.thumbnail_exact(SAMPLE_SIDE, SAMPLE_SIDE).to_rgba8();
    let clear = small.pixels().filter(|pixel| pixel.0[3] < 128).count();
    let cutout =
        if clear * 20 > (SAMPLE_SIDE * SAMPLE_SIDE) as usize { Cutout::Transparent } else { Cutout::Opaque };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Sub)
        .write_image(picture.to_rgba8().as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgba8)
        .map_err(|error| ProviderError::Protocol { reason: error.to_string() })?;
    Ok(Portrait {
        png: Arc::new(png),
        width: picture.width() as f32,
        height: picture.height() as f32,
        cutout,
    })
}

fn refused(error: &PictureError) -> ProviderError {
    ProviderError::BadRequest { reason: error.to_string() }
}
