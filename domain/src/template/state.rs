//! The state that decisions about a template rest on.

use serde::{Deserialize, Serialize};

use super::{StoredPicture, TemplateEvent};
use crate::TemplateId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnalysisStage {
    Pending,
    /// `attempt` counts from 1.
    Analyzing {
        attempt: u32,
    },
    /// The last attempt failed and another one will follow.
    Waiting {
        attempt: u32,
    },
    Analyzed,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateState {
    pub template_id: TemplateId,
    pub image: StoredPicture,
    pub preview: StoredPicture,
    pub category: String,
    pub tags: Vec<String>,
    pub description: String,
    pub stage: AnalysisStage,
    pub is_active: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Template {
    #[default]
    NotUploaded,
    Uploaded(Box<TemplateState>),
}

impl Template {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub(super) fn fold(&mut self, event: TemplateEvent) {
        if let TemplateEvent::TemplateUploaded {
            template_id,
            image,
            preview,
            category,
            tags,
            description,
            ..
        } = event
        {
            *self = Self::Uploaded(Box::new(TemplateState {
                template_id,
                image,
                preview,
                category,
                tags,
                description,
                stage: AnalysisStage::Pending,
                is_active: true,
            }));
            return;
        }
        let Self::Uploaded(state) = self else { return };
        match event {
            TemplateEvent::TemplateUploaded { .. } => {}
            TemplateEvent::TemplateAnalysisRequested { .. } => state.stage = AnalysisStage::Pending,
            TemplateEvent::TemplateAnalysisStarted { attempt, .. } => {
                state.stage = AnalysisStage::Analyzing { attempt };
            }
            TemplateEvent::TemplateAnalyzed { .. } => state.stage = AnalysisStage::Analyzed,
            TemplateEvent::TemplateAnalysisFailed { attempt, retry_at, .. } => {
                state.stage = match retry_at {
                    Some(_) => AnalysisStage::Waiting { attempt },
                    None => AnalysisStage::Failed,
                };
            }
            TemplateEvent::TemplateActivated { .. } => state.is_active = true,
            TemplateEvent::TemplateDeactivated { .. } => state.is_active = false,
        }
    }
}
