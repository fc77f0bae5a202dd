//! The analyzer of the house, which can be held in the middle of reading a wish.

use std::sync::Arc;

use async_trait::async_trait;
use providers::{AnalysisHints, DesignDna, Intent, ProviderError, VisionAnalyzer};
use tokio::sync::watch;

pub struct HeldAnalyzer {
    analyzer: Arc<dyn VisionAnalyzer>,
    is_held: watch::Sender<bool>,
    wishes: watch::Sender<usize>,
}

impl HeldAnalyzer {
    pub(crate) fn new(analyzer: Arc<dyn VisionAnalyzer>) -> Self {
        Self { analyzer, is_held: watch::Sender::new(false), wishes: watch::Sender::new(0) }
    }

    /// From now on no wish is read, until they are let go.
    pub fn hold(&self) {
        self.is_held.send_replace(true);
    }

    pub fn let_go(&self) {
        self.is_held.send_replace(false);
    }

    /// Tells whether it was given a wish to read.
    pub fn is_asked(&self) -> bool {
        *self.wishes.borrow() > 0
    }
}

#[async_trait]
impl VisionAnalyzer for HeldAnalyzer {
    fn name(&self) -> &str {
        self.analyzer.name()
    }

    async fn design_dna(&self, picture: &[u8], hints: &AnalysisHints) -> Result<DesignDna, ProviderError> {
        self.analyzer.design_dna(picture, hints).await
    }

    async fn intent(&self, prompt: &str) -> Result<Intent, ProviderError> {
        self.wishes.send_modify(|wishes| *wishes += 1);
        // The sender is a part of this analyzer.
        let _ = self.is_held.subscribe().wait_for(|is_held| !is_held).await;
        self.analyzer.intent(prompt).await
    }
}
