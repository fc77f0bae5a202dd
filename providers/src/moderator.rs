//! The built-in moderator.

use async_trait::async_trait;

use crate::ports::{Moderator, ProviderError, Verdict};

pub(crate) struct WordListModerator;

#[async_trait]
impl Moderator for WordListModerator {
    async fn review(&self, _text: &str) -> Result<Verdict, ProviderError> {
        Ok(Verdict::Allowed)
    }
}
