//! The built-in image generator.

use async_trait::async_trait;

use crate::ports::{GeneratedPicture, GenerationJob, ImageGenerator, ProviderError};

pub(crate) struct Studio;

#[async_trait]
impl ImageGenerator for Studio {
    fn name(&self) -> &'static str {
        "studio"
    }

    fn can_look_up(&self) -> bool {
        false
    }

    async fn generate(
        &self,
        _job: &GenerationJob,
        _progress: &(dyn Fn(u8) + Send + Sync),
    ) -> Result<GeneratedPicture, ProviderError> {
        Err(ProviderError::Overloaded)
    }
}
