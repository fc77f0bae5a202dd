//! Commands to generation requests. Credits are held in the unit that accepts a request and settled or
//! released in the unit that ends it: there is no moment in between.

use domain::algorithm::Definition;
use domain::conversation::{Conversation, Line, MessageBody, PictureKind};
use domain::credit_ledger::{CreditLedger, CreditLedgerCommand, CreditLedgerError};
use domain::generation_request::{
    FailureReason, GenerationRequest, GenerationRequestCommand, GenerationRequestError, Job,
};
use domain::{AssetId, ConversationId, Credits, CustomText, Personal, Prompt, RequestId, Timestamp, UserId};
use event_log::{CommandContext, Unit, clock};
use metrics::{counter, histogram};
use serde::{Deserialize, Serialize};

use crate::algorithm::AlgorithmRef;
use crate::conversation::say;
use crate::{CommandError, Commands, Done, outcome};

/// An order of a user.
#[derive(Debug, Clone)]
pub struct CreateGeneration {
    pub user_id: UserId,
    pub conversation_id: Option<ConversationId>,
    pub prompt: Prompt,
    pub custom_text: Option<CustomText>,
    pub algorithm: AlgorithmRef,
    pub face: Option<AssetId>,
    pub logo: Option<AssetId>,
    pub regenerated_from: Option<RequestId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedGeneration {
    pub request_id: RequestId,
    pub credit_cost: Credits,
    pub created_at: Timestamp,
}

impl Commands {
    /// Accepts a request and holds its credits.
    ///
    /// # Errors
    /// `InsufficientCredits` when there are too few, `ContentRejected`, `AlgorithmInactive`, `NotFound`.
    pub async fn create_generation(
        &self,
        context: CommandContext,
        order: CreateGeneration,
    ) -> Result<Done<CreatedGeneration>, CommandError> {
        self.idempotently(context, async |context| {
            let (unit, created) = self.generation_unit(context, order).await?;
            outcome::commit(unit, &created).await
        })
        .await
    }

    /// The unit that accepts a request, for whoever adds to it.
    pub(crate) async fn generation_unit(
        &self,
        context: CommandContext,
        order: CreateGeneration,
    ) -> Result<(Unit<CommandError>, CreatedGeneration), CommandError> {
        self.moderate(order.prompt.as_str()).await?;
        if let Some(text) = &order.custom_text {
            self.moderate(text.as_str()).await?;
        }
        if let Some(conversation_id) = order.conversation_id {
            self.own_conversation(order.user_id, conversation_id).await?;
        }
        for (asset, kind) in [(order.face, PictureKind::Face), (order.logo, PictureKind::Logo)] {
            if let Some(asset_id) = asset {
                self.own_asset(order.user_id, asset_id, kind).await?;
            }
        }
        let algorithm = self.active_algorithm(&order.algorithm).await?;
        let at = clock::now();
        let created = CreatedGeneration {
            request_id: RequestId(clock::derived_id(context.command_id, "generation request")),
            credit_cost: algorithm.credit_cost,
            created_at: at,
        };
        let hold = CreditLedgerCommand::Hold {
            user_id: order.user_id,
            request_id: created.request_id,
            amount: algorithm.credit_cost,
            low_threshold: Credits(self.settings.low_credits_threshold),
            at,
        };
        let user_id = order.user_id;
        let request = GenerationRequestCommand::Request {
            job: Box::new(job(created.request_id, order, algorithm)),
            at,
            deadline_at: at + self.settings.generation_deadline,
        };
        let unit = self
            .log
            .unit::<CommandError>(context)
            .create::<GenerationRequest>(created.request_id, [request])
            .execute::<CreditLedger>(user_id, [hold]);
        Ok((unit, created))
    }

    /// Orders the same picture once more.
    pub async fn regenerate(
        &self,
        context: CommandContext,
        (user_id, request_id): (UserId, RequestId),
    ) -> Result<Done<CreatedGeneration>, CommandError> {
        let state = self.log.load::<GenerationRequest>(request_id).await?.state;
        let job = state
            .job()
            .filter(|job| job.user_id == user_id)
            .ok_or(CommandError::NotFound { what: "generation request" })?;
        let prompt = job.prompt.known().ok_or(CommandError::NotFound { what: "prompt" })?.clone();
        let order = CreateGeneration {
            user_id,
            conversation_id: job.conversation_id,
            prompt,
            custom_text: job.custom_text.as_ref().and_then(|text| text.known().cloned()),
            algorithm: AlgorithmRef::Id(job.algorithm_id),
            face: job.face,
            logo: job.logo,
            regenerated_from: Some(request_id),
        };
        self.create_generation(context, order).await
    }

    /// Cancels an unfinished request and gives its credits back. Cancelling twice changes nothing.
    pub async fn cancel_generation(
        &self,
        context: CommandContext,
        (user_id, request_id): (UserId, RequestId),
    ) -> Result<Done<()>, CommandError> {
        let state = self.log.load::<GenerationRequest>(request_id).await?.state;
        if state.job().is_none_or(|job| job.user_id != user_id) {
            return Err(CommandError::NotFound { what: "generation request" });
        }
        let cancel = || {
            let cancel = [GenerationRequestCommand::Cancel { at: clock::now() }];
            self.log.unit::<CommandError>(context.clone()).execute::<GenerationRequest>(request_id, cancel)
        };
        if !matches!(state, GenerationRequest::Cancelled { .. }) {
            let release = CreditLedgerCommand::Release { user_id, request_id, at: clock::now() };
            let both = cancel().execute::<CreditLedger>(user_id, [release]);
            match outcome::commit(both, &()).await {
                // Somebody else cancelled it at the same moment and gave the credits back.
                Err(CommandError::CreditLedger(CreditLedgerError::NoSuchHold { .. })) => {}
                Ok(done) => {
                    if let (false, Some(job)) = (done.replayed, state.job()) {
                        count_end(job, "cancelled", None);
                    }
                    return Ok(done);
                }
                other => return other,
            }
        }
        outcome::commit(cancel(), &()).await
    }

    /// Ends an unfinished request without a picture: the credits go back and the chat is told. A request
    /// that has ended meanwhile stays as it is.
    pub(crate) async fn fail_generation(
        &self,
        context: CommandContext,
        job: &Job,
        reason: FailureReason,
    ) -> Result<(), CommandError> {
        let at = clock::now();
        let release = CreditLedgerCommand::Release { user_id: job.user_id, request_id: job.request_id, at };
        let mut unit = self
            .log
            .unit::<CommandError>(context.clone())
            .execute::<GenerationRequest>(job.request_id, [GenerationRequestCommand::Fail { reason, at }])
            .execute::<CreditLedger>(job.user_id, [release]);
        if let Some(conversation_id) = job.conversation_id {
            let line = Line::Failed { reason, returned: job.credit_cost };
            let failed = say(&context, "message", MessageBody::Text, line, at);
            unit = unit.execute::<Conversation>(conversation_id, [failed]);
        }
        match unit.commit().await {
            Ok(committed) => {
                if committed.is_news() {
                    count_end(job, "failed", None);
                }
                Ok(())
            }
            Err(CommandError::GenerationRequest(GenerationRequestError::Ended)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Counts a request that has come to its end, once: where its last event was written.
pub(crate) fn count_end(job: &Job, status: &'static str, seconds: Option<f64>) {
    let algorithm = job.algorithm.clone();
    counter!("generation_requests_total", "algorithm" => algorithm.clone(), "status" => status).increment(1);
    if let Some(seconds) = seconds {
        histogram!("generation_duration_seconds", "algorithm" => algorithm).record(seconds);
    }
}

fn job(request_id: RequestId, order: CreateGeneration, algorithm: Definition) -> Job {
    let owner = order.user_id;
    Job {
        request_id,
        user_id: owner,
        conversation_id: order.conversation_id,
        prompt: Personal::new(owner, order.prompt),
        custom_text: order.custom_text.map(|text| Personal::new(owner, text)),
        algorithm_id: algorithm.algorithm_id,
        algorithm: algorithm.display_name,
        provider: algorithm.provider,
        config: algorithm.config,
        credit_cost: algorithm.credit_cost,
        cost: algorithm.cost,
        face: order.face,
        logo: order.logo,
        regenerated_from: order.regenerated_from,
    }
}
