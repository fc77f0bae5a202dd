//! The built-in analyzer: it measures pictures and reads prompts by a lexicon.
//!
//! Everything in the DNA comes from pixels, except the audience, which pixels do not tell: it is
//! taken from the hints. No network, no clock; the same picture gives the same DNA.

mod describe;
mod measure;
mod palette;
mod reader;
mod sample;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use image::DynamicImage;

use self::sample::Sample;
use crate::{
    pictures::{PictureLimits, decode},
    ports::{AnalysisHints, DesignDna, Intent, ProviderError, VisionAnalyzer},
};

pub(crate) struct MeasuringAnalyzer;

#[async_trait]
impl VisionAnalyzer for MeasuringAnalyzer {
    fn name(&self) -> &'static str {
        "measuring"
    }

    async fn design_dna(&self, picture: &[u8], hints: &AnalysisHints) -> Result<DesignDna, ProviderError> {
        let (picture, hints) = (picture.to_vec(), hints.clone());
        tokio::task::spawn_blocking(move || dna_of(&picture, &hints))
            .await
            .map_err(|error| ProviderError::Io { reason: error.to_string() })?
    }

    async fn intent(&self, prompt: &str) -> Result<Intent, ProviderError> {
        Ok(reader::read(prompt))
    }
}

/// Decodes and measures. Blocking.
fn dna_of(picture: &[u8], hints: &AnalysisHints) -> Result<DesignDna, ProviderError> {
    let limits = PictureLimits { max_bytes: 32 * 1024 * 1024, ..PictureLimits::default() };
    let picture =
        decode(picture, &limits).map_err(|error| ProviderError::BadRequest { reason: error.to_string() })?;
    Ok(describe::describe(&Sample::of(&picture), hints))
}

/// The place of the largest patch of skin tones: middle and height, as shares of the picture.
pub(crate) fn skin_patch(picture: &DynamicImage) -> Option<(f32, f32, f32)> {
    let patch = measure::skin_patch(&Sample::of(picture))?;
    Some((patch.center.0, patch.center.1, patch.height))
}
