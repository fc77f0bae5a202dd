//! The generation pipeline: analyse intent, search templates, compose the prompt, generate, store, finish.
//!
//! Each step's result is an event, so whoever takes over resumes at the step.

mod attempt;
mod matching;
mod pipeline;

use domain::generation_request::{
    FailureReason, GenerationRequest, GenerationRequestCommand, GenerationRequestError, Intent, Job, Stage,
    TemplateMatch,
};
use domain::{Personal, RequestId};
use event_log::clock;
use event_log::work::ClaimedWork;

use super::{Outcome, Step, context, subject};
use crate::{CommandError, Commands, TemplateQuery};
use attempt::{Drawn, Plan};
use pipeline::{PROCESS, Pipeline, provider_intent, reason_of};

/// Rows that failed this often end their request.
pub(super) const ROW_ATTEMPTS_MAX: i32 = 8;
const MATCHES_MAX: i64 = 3;

pub(super) async fn generate(commands: &Commands, work: &ClaimedWork) -> Step {
    let request_id: RequestId = subject(work)?;
    let pipeline = Pipeline { commands, work, request_id };
    loop {
        let loaded = commands.log.load::<GenerationRequest>(request_id).await?;
        let GenerationRequest::InProgress { job, stage, requested_at } = loaded.state else {
            return Ok(Outcome::Done);
        };
        if work.attempts > ROW_ATTEMPTS_MAX {
            return pipeline.fail(&job, FailureReason::Internal).await;
        }
        let step = match *stage {
            Stage::Pending => pipeline.start().await,
            Stage::Analyzing => pipeline.analyze(&job).await,
            Stage::Searching { intent } => pipeline.search(&job, &intent).await,
            Stage::Composing { intent, .. } => pipeline.compose(&job, &intent).await,
            Stage::Generating { intent, matches, prompt, attempts } => {
                let (Some(intent), Some(prompt)) = (intent.known(), prompt.known()) else {
                    return pipeline.fail(&job, FailureReason::Internal).await;
                };
                let plan = Plan { job: &job, intent, prompt, matches: &matches, requested_at };
                match pipeline.draw(&plan, &attempts).await {
                    Ok(Drawn::Again) => Ok(()),
                    Ok(Drawn::Ended) => return Ok(Outcome::Done),
                    Ok(Drawn::Lost) => return Ok(Outcome::Lost),
                    Ok(Drawn::Failed(reason)) => return pipeline.fail(&job, reason).await,
                    Err(error) => Err(error),
                }
            }
        };
        match step {
            // Where it was cancelled or timed out meanwhile, the next look finds a final state.
            Ok(()) | Err(CommandError::GenerationRequest(GenerationRequestError::Ended)) => {}
            Err(CommandError::Provider(error)) if !error.is_transient() => {
                return pipeline.fail(&job, reason_of(&error)).await;
            }
            Err(CommandError::NotFound { .. }) => return pipeline.fail(&job, FailureReason::Internal).await,
            Err(error) => return Err(error),
        }
    }
}

impl Pipeline<'_> {
    async fn start(&self) -> Result<(), CommandError> {
        self.record("start", GenerationRequestCommand::StartAnalysis { at: clock::now() }).await.map(|_| ())
    }

    async fn analyze(&self, job: &Job) -> Result<(), CommandError> {
        let prompt = known(&job.prompt)?.as_str();
        let analyzer = &self.commands.providers.analyzer;
        let found = analyzer.intent(prompt).await?;
        let command = GenerationRequestCommand::RecordIntent {
            intent: Intent {
                category: found.category,
                style: found.style,
                mood: found.mood,
                energy_level: found.energy_level,
                visual_elements: found.visual_elements,
                headline: found.headline,
            },
            analyzed_by: analyzer.name().to_owned(),
            at: clock::now(),
        };
        self.record("intent", command).await.map(|_| ())
    }

    async fn search(&self, job: &Job, intent: &Personal<Intent>) -> Result<(), CommandError> {
        let intent = known(intent)?;
        let embedder = &self.commands.providers.embedder;
        let text = provider_intent(intent).search_query(known(&job.prompt)?.as_str());
        let query = TemplateQuery {
            vector: embedder.embed(&text).await?,
            model: embedder.model().to_owned(),
            category: Some(intent.category.clone()),
            threshold: embedder.similarity_threshold(),
            limit: MATCHES_MAX,
        };
        let found = matching::choose(self.commands.read_side.as_ref(), query, self.work.position).await?;
        let matches = found
            .iter()
            .map(|found| TemplateMatch {
                template_id: found.template_id,
                similarity_ppm: parts_per_million(found.similarity),
            })
            .collect();
        self.record("matches", GenerationRequestCommand::RecordMatches { matches, at: clock::now() })
            .await
            .map(|_| ())
    }

    async fn compose(&self, job: &Job, intent: &Personal<Intent>) -> Result<(), CommandError> {
        let prompt = compose(known(&job.prompt)?.as_str(), known(intent)?);
        self.record("prompt", GenerationRequestCommand::RecordPrompt { prompt, at: clock::now() })
            .await
            .map(|_| ())
    }

    async fn fail(&self, job: &Job, reason: FailureReason) -> Step {
        self.commands.fail_generation(context(PROCESS, self.work, "fail"), job, reason).await?;
        Ok(Outcome::Done)
    }
}

fn known<T>(personal: &Personal<T>) -> Result<&T, CommandError> {
    personal.known().ok_or(CommandError::NotFound { what: "person" })
}

/// The prompt for the provider. It names no template: neither id nor address leaves the house.
fn compose(prompt: &str, intent: &Intent) -> String {
    let mut parts = vec![prompt.to_owned(), format!("{} {} style", intent.mood, intent.style)];
    parts.extend(intent.visual_elements.iter().cloned());
    parts.push(format!("{} thumbnail, 16:9", intent.category));
    parts.join(", ")
}

#[allow(clippy::cast_possible_truncation, reason = "a similarity is between -1 and 1")]
fn parts_per_million(similarity: f32) -> i32 {
    (f64::from(similarity.clamp(-1.0, 1.0)) * 1e6).round() as i32
}
