//! The state that decisions about a request, and the pipeline that carries it out, rest on.

use serde::{Deserialize, Serialize};

use super::{GenerationRequestEvent, Intent, Job, TemplateMatch};
use crate::{AttemptId, MicroUsd, Personal, Timestamp};

/// A call of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub attempt_id: AttemptId,
    pub provider: String,
    pub price: MicroUsd,
    /// False once it ended without a picture.
    pub open: bool,
}

/// The progress of an unfinished request. Each stage holds the results of the steps before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    Pending,
    Analyzing,
    Searching {
        intent: Personal<Intent>,
    },
    Composing {
        intent: Personal<Intent>,
        matches: Vec<TemplateMatch>,
    },
    Generating {
        intent: Personal<Intent>,
        matches: Vec<TemplateMatch>,
        prompt: Personal<String>,
        attempts: Vec<Attempt>,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum GenerationRequest {
    #[default]
    NotRequested,
    InProgress {
        job: Box<Job>,
        stage: Box<Stage>,
        requested_at: Timestamp,
    },
    Completed {
        job: Box<Job>,
    },
    Failed {
        job: Box<Job>,
    },
    Cancelled {
        job: Box<Job>,
    },
}

impl GenerationRequest {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    /// The order, in every stage.
    pub fn job(&self) -> Option<&Job> {
        match self {
            Self::NotRequested => None,
            Self::InProgress { job, .. }
            | Self::Completed { job }
            | Self::Failed { job }
            | Self::Cancelled { job } => Some(job),
        }
    }

    pub(super) fn fold(&mut self, event: GenerationRequestEvent) {
        if let GenerationRequestEvent::GenerationRequested { job, requested_at, .. } = event {
            *self = Self::InProgress { job, stage: Box::new(Stage::Pending), requested_at };
            return;
        }
        let Self::InProgress { job, stage, .. } = self else { return };
        match event {
            GenerationRequestEvent::GenerationCompleted { .. } => {
                *self = Self::Completed { job: job.clone() }
            }
            GenerationRequestEvent::GenerationFailed { .. } => *self = Self::Failed { job: job.clone() },
            GenerationRequestEvent::GenerationCancelled { .. } => {
                *self = Self::Cancelled { job: job.clone() }
            }
            step => stage.fold(step),
        }
    }
}

impl Stage {
    fn fold(&mut self, event: GenerationRequestEvent) {
        match (&mut *self, event) {
            (_, GenerationRequestEvent::AnalysisStarted { .. }) => *self = Self::Analyzing,
            (_, GenerationRequestEvent::IntentAnalyzed { intent, .. }) => *self = Self::Searching { intent },
            (Self::Searching { intent }, GenerationRequestEvent::TemplatesMatched { matches, .. }) => {
                *self = Self::Composing { intent: intent.clone(), matches };
            }
            (Self::Composing { intent, matches }, GenerationRequestEvent::PromptComposed { prompt, .. }) => {
                *self = Self::Generating {
                    intent: intent.clone(),
                    matches: std::mem::take(matches),
                    prompt,
                    attempts: vec![],
                };
            }
            (
                Self::Generating { attempts, .. },
                GenerationRequestEvent::AttemptStarted { attempt_id, provider, price, .. },
            ) => attempts.push(Attempt { attempt_id, provider, price, open: true }),
            (Self::Generating { attempts, .. }, GenerationRequestEvent::AttemptEnded { attempt_id, .. }) => {
                for attempt in attempts.iter_mut().filter(|attempt| attempt.attempt_id == attempt_id) {
                    attempt.open = false;
                }
            }
            _ => {}
        }
    }
}
