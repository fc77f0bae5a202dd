//! The pipeline of one request: its place in the log, and what its steps share.

use domain::RequestId;
use domain::generation_request::{FailureReason, GenerationRequest, GenerationRequestCommand, Intent};
use event_log::Committed;
use event_log::work::ClaimedWork;
use providers::ProviderError;

use crate::process::context;
use crate::{CommandError, Commands};

pub(super) const PROCESS: &str = "generation-pipeline";

pub(super) struct Pipeline<'a> {
    pub(super) commands: &'a Commands,
    pub(super) work: &'a ClaimedWork,
    pub(super) request_id: RequestId,
}

impl Pipeline<'_> {
    /// Records the result of a step.
    pub(super) async fn record(
        &self,
        step: &str,
        command: GenerationRequestCommand,
    ) -> Result<Committed, CommandError> {
        let unit = self.commands.log.unit::<CommandError>(context(PROCESS, self.work, step));
        unit.execute::<GenerationRequest>(self.request_id, [command]).commit().await
    }
}

pub(super) fn provider_intent(intent: &Intent) -> providers::Intent {
    providers::Intent {
        category: intent.category.clone(),
        style: intent.style.clone(),
        mood: intent.mood.clone(),
        energy_level: intent.energy_level,
        visual_elements: intent.visual_elements.clone(),
        headline: intent.headline.clone(),
    }
}

pub(super) fn reason_of(error: &ProviderError) -> FailureReason {
    match error {
        ProviderError::ContentBlocked { .. } => FailureReason::ContentRejected,
        ProviderError::Auth
        | ProviderError::Quota
        | ProviderError::RateLimited { .. }
        | ProviderError::Overloaded
        | ProviderError::Timeout => FailureReason::ProviderUnavailable,
        ProviderError::BadRequest { .. }
        | ProviderError::NotFound
        | ProviderError::Protocol { .. }
        | ProviderError::Io { .. } => FailureReason::Internal,
    }
}
