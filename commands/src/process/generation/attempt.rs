//! The step that costs money: an attempt is an event before the provider is called, the claim is checked
//! directly before the call, and the result, the settlement and the card are one unit.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::asset::Asset;
use domain::conversation::{Conversation, Line, MessageBody};
use domain::credit_ledger::{CreditLedger, CreditLedgerCommand};
use domain::generation_request::{
    Attempt, AttemptProblem, FailureReason, GenerationRequest, GenerationRequestCommand,
    GenerationRequestError, Intent, Job, TemplateMatch, percent_while_drawing,
};
use domain::template::StoredPicture;
use domain::{AssetId, AttemptId, Timestamp};
use event_log::{Position, clock, work};
use providers::{GeneratedPicture, GenerationJob, ImageGenerator, ProviderError};

use super::pipeline::{PROCESS, Pipeline, provider_intent, reason_of};
use crate::CommandError;
use crate::conversation::{language_of, say};
use crate::generation_request::count_end;
use crate::objects::Belongs;
use crate::process::{CLAIM_LIFE, context};

/// Calls of providers for one request.
const ATTEMPTS_MAX: usize = 2;
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
const PROGRESS_EVERY: Duration = Duration::from_millis(25);

/// The material of a drawing.
pub(super) struct Plan<'a> {
    pub(super) job: &'a Job,
    pub(super) intent: &'a Intent,
    pub(super) prompt: &'a str,
    pub(super) matches: &'a [TemplateMatch],
    pub(super) requested_at: Timestamp,
}

pub(super) enum Drawn {
    /// The state moved on: look again.
    Again,
    Ended,
    Lost,
    Failed(FailureReason),
}

impl Pipeline<'_> {
    pub(super) async fn draw(&self, plan: &Plan<'_>, attempts: &[Attempt]) -> Result<Drawn, CommandError> {
        let Some(generator) = self.commands.providers.generator(&plan.job.provider) else {
            tracing::error!(
                provider = plan.job.provider,
                "an algorithm names a provider that is not configured"
            );
            return Ok(Drawn::Failed(FailureReason::ProviderUnavailable));
        };
        let attempt_id = match attempts.iter().find(|attempt| attempt.open) {
            // Somebody died during this attempt. Where the provider can look it up, the same id finds it.
            Some(open) if generator.can_look_up() => open.attempt_id,
            Some(open) => {
                self.end_attempt(open.attempt_id, AttemptProblem::OutcomeUnknown).await?;
                return Ok(Drawn::Again);
            }
            None if attempts.len() >= ATTEMPTS_MAX => {
                return Ok(Drawn::Failed(FailureReason::ProviderUnavailable));
            }
            None => {
                let step = format!("attempt {}", attempts.len() + 1);
                AttemptId(clock::derived_id(self.request_id.0, &step))
            }
        };
        // All that can go wrong on our side goes wrong before the attempt is booked.
        let job = self.generation_job(plan, attempt_id).await?;
        let start = GenerationRequestCommand::StartAttempt {
            attempt_id,
            provider: generator.name().to_owned(),
            price: plan.job.cost,
            at: clock::now(),
        };
        let started = self.record(&format!("start {attempt_id}"), start).await?;
        if !work::renew(self.commands.log.pool(), self.work, CLAIM_LIFE).await? {
            return Ok(Drawn::Lost);
        }
        match self.call(generator.as_ref(), plan, &job, started.position).await {
            Ok(picture) => self.complete(plan, attempt_id, picture).await,
            Err(CommandError::Provider(error)) => {
                self.end_attempt(attempt_id, problem_of(&error)).await?;
                if error.is_transient() { Ok(Drawn::Again) } else { Ok(Drawn::Failed(reason_of(&error))) }
            }
            Err(error) => Err(error),
        }
    }

    async fn end_attempt(&self, attempt_id: AttemptId, problem: AttemptProblem) -> Result<(), CommandError> {
        let end = GenerationRequestCommand::EndAttempt { attempt_id, problem, at: clock::now() };
        self.record(&format!("end {attempt_id}"), end).await.map(|_| ())
    }

    /// Calls the provider and shows its progress meanwhile.
    async fn call(
        &self,
        generator: &dyn ImageGenerator,
        plan: &Plan<'_>,
        job: &GenerationJob,
        after_position: Position,
    ) -> Result<GeneratedPicture, CommandError> {
        let progress = AtomicU8::new(0);
        let report = |percent: u8| {
            progress.fetch_max(percent.min(100), Ordering::Relaxed);
        };
        let show = async {
            let mut shown = percent_while_drawing(0);
            let language = language_of(&context(PROCESS, self.work, "progress"));
            let mut ticks = tokio::time::interval(PROGRESS_EVERY);
            loop {
                ticks.tick().await;
                let now = percent_while_drawing(progress.load(Ordering::Relaxed));
                if now > shown {
                    shown = now;
                    self.commands.show_drawing(plan.job, now, language, after_position).await;
                }
            }
        };
        tokio::select! {
            picture = generator.generate(job, &report) => Ok(picture?),
            () = show => Err(CommandError::Stopped),
        }
    }

    async fn generation_job(
        &self,
        plan: &Plan<'_>,
        attempt_id: AttemptId,
    ) -> Result<GenerationJob, CommandError> {
        let style = match plan.matches.first() {
            Some(best) => self.commands.read_side.style_dna(best.template_id).await?,
            None => None,
        };
        let custom_text = plan.job.custom_text.as_ref().and_then(|text| text.known());
        let seed = attempt_id.0.as_u64_pair().0 ^ self.request_id.0.as_u64_pair().1;
        Ok(GenerationJob {
            attempt_id: attempt_id.0,
            prompt: plan.prompt.to_owned(),
            headline: plan.intent.headline.clone(),
            custom_text: custom_text.map(ToString::to_string),
            intent: provider_intent(plan.intent),
            // A DNA of an older form is no reason to draw nothing.
            style: style.and_then(|dna| serde_json::from_value(dna).ok()),
            face: self.picture(plan.job.face).await?,
            logo: self.picture(plan.job.logo).await?,
            config: plan.job.config.clone(),
            seed,
            width: WIDTH,
            height: HEIGHT,
        })
    }

    async fn picture(&self, asset: Option<AssetId>) -> Result<Option<Bytes>, CommandError> {
        let Some(asset_id) = asset else { return Ok(None) };
        let state = async || self.commands.log.load::<Asset>(asset_id).await.map(|loaded| loaded.state);
        // Deleted after the order: the picture is drawn without it.
        let Asset::Uploaded(asset) = state().await? else { return Ok(None) };
        match self.commands.object(Some(asset.owner), &asset.picture.key).await {
            Ok(object) => Ok(Some(object.bytes)),
            // Deleted at this moment. A picture that was lost is an error: nobody pays for a thumbnail without it.
            Err(CommandError::Provider(ProviderError::NotFound))
                if !matches!(state().await?, Asset::Uploaded(_)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores the picture, then ends the request, settles the hold and posts the card, in one unit.
    async fn complete(
        &self,
        plan: &Plan<'_>,
        attempt_id: AttemptId,
        picture: GeneratedPicture,
    ) -> Result<Drawn, CommandError> {
        let belongs = Belongs { subject: self.request_id.0, owner: Some(plan.job.user_id.0) };
        let image = StoredPicture {
            // Every attempt has a place of its own: a slow one must not overwrite the picture of another.
            key: format!("{}/{}-{attempt_id}.png", belongs.folder("generations"), self.request_id),
            mime: "image/png".to_owned(),
            size_bytes: picture.png.len() as u64,
            width: picture.width,
            height: picture.height,
        };
        self.commands.put_object(belongs, &image, picture.png).await?;
        let key = image.key.clone();
        let at = clock::now();
        let context = context(PROCESS, self.work, "complete");
        let (job, user_id) = (plan.job, plan.job.user_id);
        let complete = GenerationRequestCommand::Complete {
            attempt_id,
            image,
            provider_generation_id: picture.provider_generation_id,
            at,
        };
        let settle = CreditLedgerCommand::Settle { user_id, request_id: self.request_id, at };
        let mut unit = self
            .commands
            .log
            .unit::<CommandError>(context.clone())
            .execute::<GenerationRequest>(self.request_id, [complete])
            .execute::<CreditLedger>(user_id, [settle]);
        if let Some(conversation_id) = job.conversation_id {
            let elapsed_ms = (at - plan.requested_at).num_milliseconds();
            let body = MessageBody::ThumbnailResult {
                request_id: self.request_id,
                generation_time_ms: u64::try_from(elapsed_ms).unwrap_or_default(),
                algorithm: job.algorithm.clone(),
            };
            let card = say(&context, "result", body, Line::Ready, at);
            unit = unit.execute::<Conversation>(conversation_id, [card]);
        }
        match unit.commit().await {
            Ok(committed) => {
                if committed.is_news() {
                    let seconds = (at - plan.requested_at).to_std().unwrap_or_default().as_secs_f64();
                    count_end(job, "completed", Some(seconds));
                }
                Ok(Drawn::Ended)
            }
            // It was cancelled, timed out or erased meanwhile: nobody will ever ask for the picture.
            Err(CommandError::GenerationRequest(GenerationRequestError::Ended)) => {
                self.commands.delete_object(&key).await?;
                Ok(Drawn::Ended)
            }
            Err(error) => Err(error),
        }
    }
}

fn problem_of(error: &ProviderError) -> AttemptProblem {
    match error {
        ProviderError::ContentBlocked { .. } => AttemptProblem::Refused,
        ProviderError::Timeout => AttemptProblem::OutcomeUnknown,
        ProviderError::Auth
        | ProviderError::Quota
        | ProviderError::RateLimited { .. }
        | ProviderError::Overloaded => AttemptProblem::Unavailable,
        ProviderError::BadRequest { .. }
        | ProviderError::NotFound
        | ProviderError::Protocol { .. }
        | ProviderError::Io { .. } => AttemptProblem::Failed,
    }
}
