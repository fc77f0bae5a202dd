//! The built-in image generator: it draws.
//!
//! A job becomes a [`brief::Brief`] (words, palette, layout, motifs), the brief becomes SVG, the SVG
//! becomes pixels with bundled fonts. No network, no clock: the same job gives the same bytes.

pub(crate) mod art;
pub(crate) mod brief;
pub(crate) mod compose;
pub(crate) mod dice;
pub(crate) mod fonts;
pub(crate) mod grounds;
mod headline;
pub(crate) mod layout;
mod lettering;
mod motifs;
pub(crate) mod palette;
mod portrait;
mod svg;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use bytes::Bytes;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, RgbaImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use resvg::tiny_skia;
use tokio::sync::mpsc;

use self::{brief::Brief, compose::Images};
use crate::ports::{GeneratedPicture, GenerationJob, ImageGenerator, ProviderError};

const SIDE_MIN: u32 = 64;
const SIDE_MAX: u32 = 4096;

pub(crate) struct Studio;

#[async_trait]
impl ImageGenerator for Studio {
    fn name(&self) -> &'static str {
        "studio"
    }

    /// A repeated call gives the same picture and costs nothing, so there is nothing to look up.
    fn can_look_up(&self) -> bool {
        false
    }

    async fn generate(
        &self,
        job: &GenerationJob,
        progress: &(dyn Fn(u8) + Send + Sync),
    ) -> Result<GeneratedPicture, ProviderError> {
        progress(0);
        let (reports, mut reported) = mpsc::channel(16);
        let job = job.clone();
        let drawing = tokio::task::spawn_blocking(move || {
            draw_job(&job, &mut |percent| {
                // A full channel only means that nobody looked in time.
                let _ = reports.try_send(percent);
            })
        });
        while let Some(percent) = reported.recv().await {
            progress(percent);
        }
        drawing.await.map_err(|error| ProviderError::Io { reason: error.to_string() })?
    }
}

/// Draws one job. Blocking.
fn draw_job(job: &GenerationJob, progress: &mut dyn FnMut(u8)) -> Result<GeneratedPicture, ProviderError> {
    let (width, height) = (job.width, job.height);
    if !(SIDE_MIN..=SIDE_MAX).contains(&width) || !(SIDE_MIN..=SIDE_MAX).contains(&height) {
        let reason = format!("sides must be {SIDE_MIN} to {SIDE_MAX} pixels, not {width}x{height}");
        return Err(ProviderError::BadRequest { reason });
    }
    let images = Images {
        face: job.face.as_deref().map(portrait::face).transpose()?,
        logo: job.logo.as_deref().map(portrait::logo).transpose()?,
    };
    progress(8);
    let brief = Brief::of_job(job);
    let pixmap = compose::draw(&brief, &images, (width, height), progress)?;
    let png = encode(pixmap)?;
    progress(100);
    Ok(GeneratedPicture {
        png: Bytes::from(png),
        width,
        height,
        provider_generation_id: format!("studio-{}", job.attempt_id),
    })
}

/// The finished pixels as PNG. The canvas is opaque, so alpha is dropped; level 3 costs a third of
/// the default's time for 6% more bytes.
pub(crate) fn encode(pixmap: tiny_skia::Pixmap) -> Result<Vec<u8>, ProviderError> {
    let (width, height) = (pixmap.width(), pixmap.height());
    let protocol = |reason: String| ProviderError::Protocol { reason };
    let rgba = RgbaImage::from_raw(width, height, pixmap.take())
        .ok_or_else(|| protocol("the pixels do not fill the picture".to_owned()))?;
    let rgb = DynamicImage::ImageRgba8(rgba).to_rgb8();
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Level(3), FilterType::Paeth)
        .write_image(rgb.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| protocol(error.to_string()))?;
    Ok(png)
}
