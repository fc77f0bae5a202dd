//! What clients are told about each stage, the same in answers and in live frames.

use domain::generation_request::GenerationRequestEvent;
use domain::named;
use serde::Serialize;

named! {
    /// Where a request stands. The last three are final.
    GenerationStatus {
        Pending => "pending",
        Analyzing => "analyzing",
        Searching => "searching",
        Composing => "composing",
        Generating => "generating",
        Completed => "completed",
        Failed => "failed",
        Cancelled => "cancelled",
    }
}

impl GenerationStatus {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A stage that a request entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageView {
    pub status: GenerationStatus,
    /// In percent. `None` when the progress stays where it was: a request that ends without a picture.
    pub progress: Option<u8>,
    pub message: String,
}

/// The stage that an event leads to; `None` when it does not lead to another.
pub fn stage_of(event: &GenerationRequestEvent) -> Option<StageView> {
    let (status, progress) = match event {
        GenerationRequestEvent::GenerationRequested { .. } => (GenerationStatus::Pending, Some(0)),
        GenerationRequestEvent::AnalysisStarted { .. } => (GenerationStatus::Analyzing, Some(10)),
        GenerationRequestEvent::IntentAnalyzed { .. } => (GenerationStatus::Searching, Some(30)),
        GenerationRequestEvent::TemplatesMatched { .. } => (GenerationStatus::Composing, Some(50)),
        GenerationRequestEvent::AttemptStarted { .. } => (GenerationStatus::Generating, Some(70)),
        GenerationRequestEvent::GenerationCompleted { .. } => (GenerationStatus::Completed, Some(100)),
        GenerationRequestEvent::GenerationFailed { .. } => (GenerationStatus::Failed, None),
        GenerationRequestEvent::GenerationCancelled { .. } => (GenerationStatus::Cancelled, None),
        GenerationRequestEvent::PromptComposed { .. } | GenerationRequestEvent::AttemptEnded { .. } => {
            return None;
        }
    };
    let error = match event {
        GenerationRequestEvent::GenerationFailed { reason, .. } => Some(reason.text()),
        _ => None,
    };
    Some(StageView { status, progress, message: message_of(status, error) })
}

/// The sentence for the user.
pub fn message_of(status: GenerationStatus, error: Option<&str>) -> String {
    match (status, error) {
        (GenerationStatus::Pending, _) => "Waiting to start...".to_owned(),
        (GenerationStatus::Analyzing, _) => "Analyzing your request...".to_owned(),
        (GenerationStatus::Searching, _) => "Finding best matching templates...".to_owned(),
        (GenerationStatus::Composing, _) => "Composing generation prompt...".to_owned(),
        (GenerationStatus::Generating, _) => "Generating your thumbnail...".to_owned(),
        (GenerationStatus::Completed, _) => "Your thumbnail is ready!".to_owned(),
        (GenerationStatus::Failed, Some(error)) => format!("Generation failed: {error}"),
        (GenerationStatus::Failed, None) => "Generation failed".to_owned(),
        (GenerationStatus::Cancelled, _) => "Generation cancelled".to_owned(),
    }
}
