//! Commands to chats, as a user sends them.

use domain::asset::Asset;
use domain::conversation::{
    Conversation, ConversationCommand, ConversationError, Line, MessageBody, PictureKind,
};
use domain::language::{Known, Language};
use domain::{AssetId, ConversationId, MessageId, MessageText, Timestamp, Title, UserId};
use event_log::{CommandContext, Version, clock};
use providers::Verdict;
use serde::{Deserialize, Serialize};

use crate::algorithm::AlgorithmRef;
use crate::error::ASSET;
use crate::{CommandError, Commands, Done, outcome};

const DEFAULT_TITLE: &str = "New chat";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedConversation {
    pub conversation_id: ConversationId,
    pub started_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenamedConversation {
    pub started_at: Timestamp,
    pub renamed_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedMessage {
    pub message_id: MessageId,
    pub posted_at: Timestamp,
    /// The id of the algorithm that was chosen, also when it was named by its slug.
    pub algorithm_id: Option<domain::AlgorithmId>,
}

impl Commands {
    /// The title of a chat that nobody has named.
    pub fn default_title() -> Title {
        Title::parse(DEFAULT_TITLE).expect("the constant is a valid title")
    }

    pub async fn start_conversation(
        &self,
        context: CommandContext,
        owner: UserId,
        title: Option<Title>,
    ) -> Result<Done<StartedConversation>, CommandError> {
        let at = clock::now();
        let conversation_id = ConversationId(clock::derived_id(context.command_id, "conversation"));
        let mut commands = vec![ConversationCommand::Start {
            conversation_id,
            owner,
            title: title.clone().unwrap_or_else(Self::default_title),
            at,
        }];
        // A title that the user gave is not replaced by the first message.
        commands.extend(title.map(|title| ConversationCommand::Rename { title, at }));
        let unit = self.log.unit::<CommandError>(context).create::<Conversation>(conversation_id, commands);
        outcome::commit(unit, &StartedConversation { conversation_id, started_at: at }).await
    }

    pub async fn rename_conversation(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        expected_version: Option<Version>,
        title: Title,
    ) -> Result<Done<RenamedConversation>, CommandError> {
        self.idempotently(context, async |context| {
            let started_at = self.own_conversation(owner, conversation_id).await?;
            let at = clock::now();
            let rename = ConversationCommand::Rename { title, at };
            let unit = self.log.unit::<CommandError>(context).execute_at::<Conversation>(
                conversation_id,
                expected_version,
                [rename],
            );
            outcome::commit(unit, &RenamedConversation { started_at, renamed_at: at }).await
        })
        .await
    }

    pub async fn archive_conversation(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        expected_version: Option<Version>,
    ) -> Result<Done<()>, CommandError> {
        self.idempotently(context, async |context| {
            self.own_conversation(owner, conversation_id).await?;
            let archive = ConversationCommand::Archive { at: clock::now() };
            let unit = self.log.unit::<CommandError>(context).execute_at::<Conversation>(
                conversation_id,
                expected_version,
                [archive],
            );
            outcome::commit(unit, &()).await
        })
        .await
    }

    pub async fn post_text(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        content: MessageText,
    ) -> Result<Done<PostedMessage>, CommandError> {
        self.moderate(content.as_str()).await?;
        let (message_id, at) = (message_id(&context), clock::now());
        let post = ConversationCommand::PostText { message_id, content, at };
        let posted = PostedMessage { message_id, posted_at: at, algorithm_id: None };
        self.post(context, (owner, conversation_id), post, posted).await
    }

    pub async fn choose_algorithm(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        algorithm: &AlgorithmRef,
        content: MessageText,
    ) -> Result<Done<PostedMessage>, CommandError> {
        self.idempotently(context, async |context| {
            self.own_conversation(owner, conversation_id).await?;
            let algorithm_id = self.active_algorithm(algorithm).await?.algorithm_id;
            let (message_id, at) = (message_id(&context), clock::now());
            let choose = ConversationCommand::ChooseAlgorithm { message_id, algorithm_id, content, at };
            let posted = PostedMessage { message_id, posted_at: at, algorithm_id: Some(algorithm_id) };
            self.post(context, (owner, conversation_id), choose, posted).await
        })
        .await
    }

    pub async fn attach_picture(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        (asset_id, kind): (AssetId, PictureKind),
        content: MessageText,
    ) -> Result<Done<PostedMessage>, CommandError> {
        self.idempotently(context, async |context| {
            self.own_conversation(owner, conversation_id).await?;
            self.own_asset(owner, asset_id, kind).await?;
            let (message_id, at) = (message_id(&context), clock::now());
            let attach = ConversationCommand::AttachPicture { message_id, asset_id, kind, content, at };
            let posted = PostedMessage { message_id, posted_at: at, algorithm_id: None };
            self.post(context, (owner, conversation_id), attach, posted).await
        })
        .await
    }

    async fn post(
        &self,
        context: CommandContext,
        (owner, conversation_id): (UserId, ConversationId),
        command: ConversationCommand,
        posted: PostedMessage,
    ) -> Result<Done<PostedMessage>, CommandError> {
        self.own_conversation(owner, conversation_id).await?;
        let unit = self.log.unit::<CommandError>(context).execute::<Conversation>(conversation_id, [command]);
        outcome::commit(unit, &posted).await
    }

    /// The time at which the chat began. Refuses a chat of somebody else as if it did not exist.
    pub(crate) async fn own_conversation(
        &self,
        owner: UserId,
        conversation_id: ConversationId,
    ) -> Result<Timestamp, CommandError> {
        let begun = |conversation: &Conversation| {
            conversation.chat().filter(|chat| chat.owner == owner).map(|chat| chat.started_at)
        };
        if let Some(at) = begun(&self.log.load_cached::<Conversation>(conversation_id).await?.state) {
            return Ok(at);
        }
        let loaded = self.log.load::<Conversation>(conversation_id).await?;
        begun(&loaded.state).ok_or_else(|| ConversationError::NotStarted.into())
    }

    /// Refuses an asset of somebody else as if it did not exist, and a logo where a face is meant.
    pub(crate) async fn own_asset(
        &self,
        owner: UserId,
        asset_id: AssetId,
        kind: PictureKind,
    ) -> Result<(), CommandError> {
        match self.log.load::<Asset>(asset_id).await?.state {
            Asset::Uploaded(asset) if asset.owner == owner && asset.kind == kind => Ok(()),
            Asset::Uploaded(asset) if asset.owner == owner => Err(CommandError::WrongAssetKind {
                asset_id,
                expected: kind.name(),
                actual: asset.kind.name(),
            }),
            Asset::Uploaded(_) | Asset::NotUploaded | Asset::Deleted { .. } => {
                Err(CommandError::NotFound { what: ASSET })
            }
        }
    }

    pub(crate) async fn moderate(&self, text: &str) -> Result<(), CommandError> {
        match self.providers.moderator.review(text).await? {
            Verdict::Allowed => Ok(()),
            Verdict::Rejected { categories } => Err(CommandError::ContentRejected { categories }),
        }
    }
}

/// A message of the assistant, in the language of the person whom the command is about. `step` tells messages of
/// one command apart.
pub(crate) fn say(
    context: &CommandContext,
    step: &str,
    body: MessageBody,
    line: Line,
    at: Timestamp,
) -> ConversationCommand {
    ConversationCommand::Say {
        message_id: MessageId(clock::derived_id(context.command_id, step)),
        body,
        line,
        language: language_of(context),
        at,
    }
}

/// The language in which the person whom a command is about is told of it.
pub(crate) fn language_of(context: &CommandContext) -> Language {
    Known::of_request(context.language.as_deref()).choose()
}

fn message_id(context: &CommandContext) -> MessageId {
    MessageId(clock::derived_id(context.command_id, "message"))
}
