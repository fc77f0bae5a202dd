//! The commands to a request, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{
    AttemptProblem, FailureReason, GenerationRequest, GenerationRequestError, GenerationRequestEvent, Intent,
    Job, Stage, TemplateMatch,
};
use crate::template::StoredPicture;
use crate::{AttemptId, MicroUsd, Personal, Timestamp};

#[derive(Debug, Clone)]
pub enum GenerationRequestCommand {
    Request { job: Box<Job>, at: Timestamp, deadline_at: Timestamp },
    StartAnalysis { at: Timestamp },
    RecordIntent { intent: Intent, analyzed_by: String, at: Timestamp },
    RecordMatches { matches: Vec<TemplateMatch>, at: Timestamp },
    RecordPrompt { prompt: String, at: Timestamp },
    StartAttempt { attempt_id: AttemptId, provider: String, price: MicroUsd, at: Timestamp },
    EndAttempt { attempt_id: AttemptId, problem: AttemptProblem, at: Timestamp },
    Complete { attempt_id: AttemptId, image: StoredPicture, provider_generation_id: String, at: Timestamp },
    Fail { reason: FailureReason, at: Timestamp },
    Cancel { at: Timestamp },
}

impl Aggregate for GenerationRequest {
    const TYPE: &'static str = "generation_request";
    type Command = GenerationRequestCommand;
    type Event = GenerationRequestEvent;
    type Error = GenerationRequestError;
    type Services = ();

    async fn handle(
        &mut self,
        command: GenerationRequestCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), GenerationRequestError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: GenerationRequestEvent) {
        self.fold(event);
    }
}

type Decision = Result<Option<GenerationRequestEvent>, GenerationRequestError>;

impl GenerationRequest {
    fn decide(&self, command: GenerationRequestCommand) -> Decision {
        match (self, command) {
            (Self::NotRequested, GenerationRequestCommand::Request { job, at, deadline_at }) => {
                Ok(Some(GenerationRequestEvent::GenerationRequested { job, requested_at: at, deadline_at }))
            }
            (_, GenerationRequestCommand::Request { .. }) => Err(GenerationRequestError::AlreadyRequested),
            (Self::NotRequested, _) => Err(GenerationRequestError::NotRequested),
            (Self::Cancelled { .. }, GenerationRequestCommand::Cancel { .. }) => Ok(None),
            (Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled { .. }, _) => {
                Err(GenerationRequestError::Ended)
            }
            (Self::InProgress { job, stage, requested_at }, command) => match command {
                GenerationRequestCommand::Complete { attempt_id, image, provider_generation_id, at } => {
                    let Stage::Generating { matches, attempts, .. } = stage.as_ref() else {
                        return Err(GenerationRequestError::OutOfOrder);
                    };
                    // A picture without a recorded attempt would cost nothing in the books.
                    if !attempts.iter().any(|attempt| attempt.attempt_id == attempt_id) {
                        return Err(GenerationRequestError::OutOfOrder);
                    }
                    let elapsed_ms = (at - *requested_at).num_milliseconds();
                    Ok(Some(GenerationRequestEvent::GenerationCompleted {
                        request_id: job.request_id,
                        attempt_id,
                        image,
                        provider_generation_id,
                        selected_template: matches.first().map(|best| best.template_id),
                        cost: stage.cost(),
                        algorithm: job.algorithm.clone(),
                        processing_time_ms: u64::try_from(elapsed_ms).unwrap_or(0),
                        completed_at: at,
                    }))
                }
                GenerationRequestCommand::Fail { reason, at } => {
                    Ok(Some(GenerationRequestEvent::GenerationFailed {
                        request_id: job.request_id,
                        reason,
                        cost: stage.cost(),
                        failed_at: at,
                    }))
                }
                GenerationRequestCommand::Cancel { at } => {
                    Ok(Some(GenerationRequestEvent::GenerationCancelled {
                        request_id: job.request_id,
                        cost: stage.cost(),
                        cancelled_at: at,
                    }))
                }
                step => stage.decide(job, step),
            },
        }
    }
}

impl Stage {
    /// The number of steps, of five, that are done.
    fn rank(&self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Analyzing => 1,
            Self::Searching { .. } => 2,
            Self::Composing { .. } => 3,
            Self::Generating { .. } => 4,
        }
    }

    /// The cost of the attempts, those with an unknown outcome included.
    fn cost(&self) -> MicroUsd {
        match self {
            Self::Generating { attempts, .. } => {
                MicroUsd(attempts.iter().map(|attempt| attempt.price.0).sum())
            }
            _ => MicroUsd(0),
        }
    }

    /// `Some` when a step that leads out of the stage of `rank` is due, `None` when it is done already.
    fn due(&self, rank: u8) -> Result<Option<()>, GenerationRequestError> {
        match self.rank().cmp(&rank) {
            std::cmp::Ordering::Less => Err(GenerationRequestError::OutOfOrder),
            std::cmp::Ordering::Equal => Ok(Some(())),
            std::cmp::Ordering::Greater => Ok(None),
        }
    }

    fn decide(&self, job: &Job, step: GenerationRequestCommand) -> Decision {
        let request_id = job.request_id;
        match step {
            GenerationRequestCommand::StartAnalysis { at } => Ok(self
                .due(0)?
                .map(|()| GenerationRequestEvent::AnalysisStarted { request_id, started_at: at })),
            GenerationRequestCommand::RecordIntent { intent, analyzed_by, at } => {
                Ok(self.due(1)?.map(|()| GenerationRequestEvent::IntentAnalyzed {
                    request_id,
                    intent: Personal::new(job.user_id, intent),
                    analyzed_by,
                    analyzed_at: at,
                }))
            }
            GenerationRequestCommand::RecordMatches { matches, at } => Ok(self
                .due(2)?
                .map(|()| GenerationRequestEvent::TemplatesMatched { request_id, matches, matched_at: at })),
            GenerationRequestCommand::RecordPrompt { prompt, at } => {
                Ok(self.due(3)?.map(|()| GenerationRequestEvent::PromptComposed {
                    request_id,
                    prompt: Personal::new(job.user_id, prompt),
                    composed_at: at,
                }))
            }
            GenerationRequestCommand::StartAttempt { attempt_id, provider, price, at } => {
                let Self::Generating { attempts, .. } = self else {
                    return Err(GenerationRequestError::OutOfOrder);
                };
                if attempts.iter().any(|attempt| attempt.attempt_id == attempt_id) {
                    return Ok(None);
                }
                if attempts.iter().any(|attempt| attempt.open) {
                    return Err(GenerationRequestError::OutOfOrder);
                }
                Ok(Some(GenerationRequestEvent::AttemptStarted {
                    request_id,
                    attempt_id,
                    number: u32::try_from(attempts.len()).unwrap_or(u32::MAX).saturating_add(1),
                    provider,
                    price,
                    started_at: at,
                }))
            }
            GenerationRequestCommand::EndAttempt { attempt_id, problem, at } => {
                let Self::Generating { attempts, .. } = self else {
                    return Err(GenerationRequestError::OutOfOrder);
                };
                let open = attempts.iter().any(|attempt| attempt.attempt_id == attempt_id && attempt.open);
                Ok(open.then_some(GenerationRequestEvent::AttemptEnded {
                    request_id,
                    attempt_id,
                    problem,
                    ended_at: at,
                }))
            }
            GenerationRequestCommand::Request { .. } => Err(GenerationRequestError::AlreadyRequested),
            GenerationRequestCommand::Complete { .. }
            | GenerationRequestCommand::Fail { .. }
            | GenerationRequestCommand::Cancel { .. } => Err(GenerationRequestError::OutOfOrder),
        }
    }
}
