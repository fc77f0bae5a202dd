//! The commands to a template, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{Analysis, AnalysisStage, StoredPicture, Template, TemplateError, TemplateEvent, TemplateState};
use crate::{TemplateId, Timestamp};

#[derive(Debug, Clone)]
pub enum TemplateCommand {
    Upload {
        template_id: TemplateId,
        image: StoredPicture,
        preview: StoredPicture,
        category: String,
        tags: Vec<String>,
        description: String,
        at: Timestamp,
    },
    /// Asks for the analysis once more, whatever the last one found.
    RequestAnalysis {
        at: Timestamp,
    },
    StartAnalysis {
        at: Timestamp,
    },
    RecordAnalysis {
        analysis: Box<Analysis>,
        at: Timestamp,
    },
    RecordFailure {
        reason: String,
        /// The time of the next attempt, if the reason may pass and attempts are left.
        retry_at: Option<Timestamp>,
        at: Timestamp,
    },
    Activate {
        at: Timestamp,
    },
    Deactivate {
        at: Timestamp,
    },
}

impl Aggregate for Template {
    const TYPE: &'static str = "template";
    type Command = TemplateCommand;
    type Event = TemplateEvent;
    type Error = TemplateError;
    type Services = ();

    async fn handle(
        &mut self,
        command: TemplateCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TemplateError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: TemplateEvent) {
        self.fold(event);
    }
}

impl Template {
    fn decide(&self, command: TemplateCommand) -> Result<Option<TemplateEvent>, TemplateError> {
        match (self, command) {
            (
                Self::NotUploaded,
                TemplateCommand::Upload { template_id, image, preview, category, tags, description, at },
            ) => Ok(Some(TemplateEvent::TemplateUploaded {
                template_id,
                image,
                preview,
                category,
                tags,
                description,
                uploaded_at: at,
            })),
            (_, TemplateCommand::Upload { .. }) => Err(TemplateError::AlreadyUploaded),
            (Self::NotUploaded, _) => Err(TemplateError::NotUploaded),
            (Self::Uploaded(state), command) => state.decide(command),
        }
    }
}

impl TemplateState {
    fn decide(&self, command: TemplateCommand) -> Result<Option<TemplateEvent>, TemplateError> {
        let template_id = self.template_id;
        match command {
            TemplateCommand::Upload { .. } => Err(TemplateError::AlreadyUploaded),
            TemplateCommand::RequestAnalysis { at } => {
                Ok(Some(TemplateEvent::TemplateAnalysisRequested { template_id, requested_at: at }))
            }
            TemplateCommand::StartAnalysis { at } => {
                let attempt = match self.stage {
                    AnalysisStage::Pending => 1,
                    AnalysisStage::Waiting { attempt } => attempt + 1,
                    // Somebody took over from a worker that died: the attempt goes on.
                    AnalysisStage::Analyzing { .. } => return Ok(None),
                    AnalysisStage::Analyzed | AnalysisStage::Failed => {
                        return Err(TemplateError::NoAnalysisUnderWay);
                    }
                };
                Ok(Some(TemplateEvent::TemplateAnalysisStarted { template_id, attempt, started_at: at }))
            }
            TemplateCommand::RecordAnalysis { analysis, at } => match self.stage {
                AnalysisStage::Analyzing { .. } => {
                    Ok(Some(TemplateEvent::TemplateAnalyzed { template_id, analysis, analyzed_at: at }))
                }
                _ => Err(TemplateError::NoAnalysisUnderWay),
            },
            TemplateCommand::RecordFailure { reason, retry_at, at } => match self.stage {
                AnalysisStage::Analyzing { attempt } => Ok(Some(TemplateEvent::TemplateAnalysisFailed {
                    template_id,
                    attempt,
                    reason,
                    retry_at,
                    failed_at: at,
                })),
                _ => Err(TemplateError::NoAnalysisUnderWay),
            },
            TemplateCommand::Activate { at } => {
                Ok((!self.is_active).then_some(TemplateEvent::TemplateActivated { activated_at: at }))
            }
            TemplateCommand::Deactivate { at } => {
                Ok(self.is_active.then_some(TemplateEvent::TemplateDeactivated { deactivated_at: at }))
            }
        }
    }
}
