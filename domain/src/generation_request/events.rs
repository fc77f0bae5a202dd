//! The events of a request.

use serde::{Deserialize, Serialize};

use crate::event_names::event_names;
use crate::template::StoredPicture;
use crate::{
    AlgorithmId, AssetId, AttemptId, ConversationId, Credits, CustomText, MicroUsd, Personal, Prompt,
    RequestId, TemplateId, Timestamp, UserId, named,
};

/// An order. Prices are those at acceptance; a later change does not touch them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub request_id: RequestId,
    pub user_id: UserId,
    pub conversation_id: Option<ConversationId>,
    pub prompt: Personal<Prompt>,
    pub custom_text: Option<Personal<CustomText>>,
    pub algorithm_id: AlgorithmId,
    /// The algorithm's name as the user saw it.
    pub algorithm: String,
    pub provider: String,
    pub config: serde_json::Value,
    pub credit_cost: Credits,
    pub cost: MicroUsd,
    pub face: Option<AssetId>,
    pub logo: Option<AssetId>,
    pub regenerated_from: Option<RequestId>,
}

/// The wish in a prompt, as the analyzer understood it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub category: String,
    pub style: String,
    pub mood: String,
    /// 1 (calm) to 10 (high energy).
    pub energy_level: u8,
    pub visual_elements: Vec<String>,
    /// The few words for the picture itself.
    pub headline: String,
}

/// A template that matches, best first. The similarity is in millionths, 1,000,000 is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMatch {
    pub template_id: TemplateId,
    pub similarity_ppm: i32,
}

/// Why an attempt brought no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptProblem {
    Refused,
    Unavailable,
    Failed,
    /// The call went out and nobody knows whether it was carried out. Its cost counts as paid.
    OutcomeUnknown,
}

named! {
    /// The reason why a request ended without a picture.
    FailureReason {
        ContentRejected => "content_rejected",
        ProviderUnavailable => "provider_unavailable",
        TimedOut => "timed_out",
        Internal => "internal",
    }
}

impl FailureReason {
    /// Tells whether the same request may succeed later.
    pub fn retry_possible(self) -> bool {
        !matches!(self, Self::ContentRejected)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum GenerationRequestEvent {
    GenerationRequested {
        job: Box<Job>,
        requested_at: Timestamp,
        /// The time at which the request ends by itself if it is not finished.
        deadline_at: Timestamp,
    },
    AnalysisStarted {
        request_id: RequestId,
        started_at: Timestamp,
    },
    IntentAnalyzed {
        request_id: RequestId,
        intent: Personal<Intent>,
        analyzed_by: String,
        analyzed_at: Timestamp,
    },
    TemplatesMatched {
        request_id: RequestId,
        matches: Vec<TemplateMatch>,
        matched_at: Timestamp,
    },
    PromptComposed {
        request_id: RequestId,
        prompt: Personal<String>,
        composed_at: Timestamp,
    },
    /// Recorded before the provider is called.
    AttemptStarted {
        request_id: RequestId,
        attempt_id: AttemptId,
        /// 1 for the first call.
        number: u32,
        provider: String,
        price: MicroUsd,
        started_at: Timestamp,
    },
    AttemptEnded {
        request_id: RequestId,
        attempt_id: AttemptId,
        problem: AttemptProblem,
        ended_at: Timestamp,
    },
    GenerationCompleted {
        request_id: RequestId,
        attempt_id: AttemptId,
        image: StoredPicture,
        provider_generation_id: String,
        selected_template: Option<TemplateId>,
        cost: MicroUsd,
        algorithm: String,
        processing_time_ms: u64,
        completed_at: Timestamp,
    },
    GenerationFailed {
        request_id: RequestId,
        reason: FailureReason,
        cost: MicroUsd,
        failed_at: Timestamp,
    },
    GenerationCancelled {
        request_id: RequestId,
        cost: MicroUsd,
        cancelled_at: Timestamp,
    },
}

event_names!(GenerationRequestEvent {
    GenerationRequested => "1.0",
    AnalysisStarted => "1.0",
    IntentAnalyzed => "1.0",
    TemplatesMatched => "1.0",
    PromptComposed => "1.0",
    AttemptStarted => "1.0",
    AttemptEnded => "1.0",
    GenerationCompleted => "1.0",
    GenerationFailed => "1.0",
    GenerationCancelled => "1.0",
});
