//! The assistant: answers in the chat what the brief calls for.

use domain::conversation::{
    AlgorithmOption, Chat, Conversation, ConversationCommand, ConversationEvent, Line, MessageBody, Missing,
};
use domain::credit_ledger::CreditLedgerError;
use domain::{ConversationId, Prompt};
use event_log::work::ClaimedWork;
use event_log::{CommandContext, Position, RECEIPT_DAYS, clock};

use super::{Outcome, Step, context, subject};
use crate::algorithm::AlgorithmRef;
use crate::conversation::say;
use crate::error::{ALGORITHM, ASSET};
use crate::generation_request::CreateGeneration;
use crate::{CommandError, Commands};

const PROCESS: &str = "assistant";
/// What is older is not answered any more. A chat takes a message twice if nobody stops it, and here that is the receipt
/// of the first one alone. A row may come back later than receipts last: it was parked and an admin asks for another try,
/// or a recovery put its event back. The days that are left are for a worker that is paused between this look and its
/// append.
const ANSWERED_WITHIN_DAYS: i64 = 25;
const _: () = assert!(ANSWERED_WITHIN_DAYS + 1 < RECEIPT_DAYS);
const ACCEPTED_TYPES: [&str; 3] = ["image/png", "image/jpeg", "image/webp"];

/// Acknowledges a wish and offers the algorithms.
pub(super) async fn offer_algorithms(commands: &Commands, work: &ClaimedWork) -> Step {
    let Some(turn) = Turn::begin(commands, work).await? else { return Ok(Outcome::Done) };
    let answered = turn.offer_algorithms().await;
    turn.end(answered).await
}

/// Asks for a face or a logo.
pub(super) async fn ask_for_picture(commands: &Commands, work: &ClaimedWork) -> Step {
    let Some(turn) = Turn::begin(commands, work).await? else { return Ok(Outcome::Done) };
    let answered = turn.ask_for_picture().await;
    turn.end(answered).await
}

/// Requests the generation that the brief describes.
pub(super) async fn start_generation(commands: &Commands, work: &ClaimedWork) -> Step {
    let Some(turn) = Turn::begin(commands, work).await? else { return Ok(Outcome::Done) };
    let answered = turn.start_generation().await;
    turn.end(answered).await
}

/// The assistant's turn in a chat: its owner sees it typing from the beginning to the end.
struct Turn<'a> {
    commands: &'a Commands,
    work: &'a ClaimedWork,
    chat: Chat,
}

impl<'a> Turn<'a> {
    async fn begin(commands: &'a Commands, work: &'a ClaimedWork) -> Result<Option<Self>, CommandError> {
        let conversation_id: ConversationId = subject(work)?;
        if work.age_seconds > ANSWERED_WITHIN_DAYS * 24 * 3600 {
            tracing::warn!(%conversation_id, position = %work.position, "a message is too old to be answered");
            return Ok(None);
        }
        let loaded = commands.log.load::<Conversation>(conversation_id).await?;
        let Some(chat) = loaded.state.chat().cloned() else { return Ok(None) };
        commands.show_typing(chat.owner, conversation_id, true, work.position).await;
        Ok(Some(Self { commands, work, chat }))
    }

    /// `answered` is the position of the answer. Typing ends after the message that was typed, so the frame waits
    /// for that position.
    async fn end(self, answered: Result<Position, CommandError>) -> Step {
        let Self { commands, work, chat } = self;
        let typed = answered.as_ref().copied().unwrap_or(work.position);
        commands.show_typing(chat.owner, chat.conversation_id, false, typed).await;
        answered.map(|_| Outcome::Done)
    }

    async fn offer_algorithms(&self) -> Result<Position, CommandError> {
        let active = self.commands.read_side.active_algorithms(self.work.position).await?;
        let options: Vec<AlgorithmOption> = active
            .into_iter()
            .map(|algorithm| AlgorithmOption {
                id: algorithm.algorithm_id,
                slug: algorithm.slug,
                name: algorithm.name,
                credit_cost: algorithm.credit_cost,
            })
            .collect();
        let (context, at) = (context(PROCESS, self.work, "offer"), clock::now());
        let (body, line) = if options.is_empty() {
            (MessageBody::Text, Line::NoVersion)
        } else {
            (MessageBody::AlgorithmSelect { options }, Line::WhichVersion)
        };
        let acknowledge = say(&context, "acknowledge", MessageBody::Text, Line::GotIt, at);
        let offer = say(&context, "offer", body, line, at);
        self.post(context, vec![acknowledge, offer]).await
    }

    async fn ask_for_picture(&self) -> Result<Position, CommandError> {
        let context = context(PROCESS, self.work, "ask for picture");
        let body = MessageBody::UploadRequest {
            accepted_types: ACCEPTED_TYPES.map(str::to_owned).to_vec(),
            max_bytes: self.commands.settings.asset_bytes_max as u64,
        };
        let ask = say(&context, "ask", body, Line::AddPicture, clock::now());
        self.post(context, vec![ask]).await
    }

    /// Requests the generation that the brief describes and says so, in one unit. When it is refused, the chat
    /// is told why.
    async fn start_generation(&self) -> Result<Position, CommandError> {
        let Some(order) = self.order().await? else { return Ok(self.work.position) };
        let context = context(PROCESS, self.work, "start generation");
        let refusal = self::context(PROCESS, self.work, "refuse generation");
        // A worker that takes over from a dead one finds the answer that was given, and does not decide again.
        for said in [&context, &refusal] {
            if let Some(first) = self.commands.log.first_outcome(said).await? {
                return Ok(first.position);
            }
        }
        let perfect = say(&context, "perfect", MessageBody::Text, Line::Perfect, clock::now());
        let started = match self.commands.generation_unit(context, order).await {
            Ok((unit, created)) => {
                let unit = unit.execute::<Conversation>(self.chat.conversation_id, [perfect]);
                crate::outcome::commit(unit, &created).await.map(|done| done.position)
            }
            Err(error) => Err(error),
        };
        let error = match started {
            Ok(position) => return Ok(position),
            Err(error) => error,
        };
        let Some(line) = refusal_of(&error) else { return Err(error) };
        let refuse = say(&refusal, "refuse", MessageBody::Text, line, clock::now());
        self.post(refusal, vec![refuse]).await
    }

    /// The completed brief as an order, read from the event that caused the work: the chat may have moved on.
    async fn order(&self) -> Result<Option<CreateGeneration>, CommandError> {
        let log = &self.commands.log;
        let Some(recorded) = log.page(self.work.position.previous(), 1).await?.into_iter().next() else {
            return Ok(None);
        };
        let opened = log.open(recorded.into()).await?;
        let ConversationEvent::BriefCompleted { prompt, algorithm_id, face, logo, .. } = opened.parse()?
        else {
            return Ok(None);
        };
        // A person who was erased meanwhile gets no picture.
        let Some(prompt) = prompt.known() else { return Ok(None) };
        Ok(Some(CreateGeneration {
            user_id: self.chat.owner,
            conversation_id: Some(self.chat.conversation_id),
            prompt: Prompt::parse(prompt.as_str())?,
            custom_text: None,
            algorithm: AlgorithmRef::Id(algorithm_id),
            face,
            logo,
            regenerated_from: None,
        }))
    }

    async fn post(
        &self,
        context: CommandContext,
        messages: Vec<ConversationCommand>,
    ) -> Result<Position, CommandError> {
        let unit = self.commands.log.unit::<CommandError>(context);
        Ok(unit.execute::<Conversation>(self.chat.conversation_id, messages).commit().await?.position)
    }
}

/// The line with which an order is refused; `None` for an error that passes by itself.
fn refusal_of(error: &CommandError) -> Option<Line> {
    match error {
        CommandError::CreditLedger(CreditLedgerError::InsufficientCredits { required, available }) => {
            Some(Line::NotEnoughCredits { required: *required, available: *available })
        }
        CommandError::AlgorithmInactive { name } => Some(Line::VersionInactive { name: name.clone() }),
        CommandError::ContentRejected { .. } => Some(Line::ContentRejected),
        CommandError::NotFound { what: ASSET } => Some(Line::Gone { what: Missing::Picture }),
        CommandError::NotFound { what: ALGORITHM } => Some(Line::Gone { what: Missing::Version }),
        _ => None,
    }
}
