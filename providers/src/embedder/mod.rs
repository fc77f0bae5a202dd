//! The built-in embedder.

use async_trait::async_trait;

use crate::ports::{Embedder, ProviderError};

pub(crate) struct HashEmbedder;

#[async_trait]
impl Embedder for HashEmbedder {
    fn model(&self) -> &'static str {
        "routix-hash-1536-v1"
    }

    fn similarity_threshold(&self) -> f32 {
        0.3
    }

    async fn embed(&self, _text: &str) -> Result<Vec<f32>, ProviderError> {
        Err(ProviderError::Overloaded)
    }
}
