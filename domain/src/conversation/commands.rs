//! The commands to a chat, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{
    Brief, Chat, Content, Conversation, ConversationError, ConversationEvent, Line, MessageBody, MessageRole,
    PictureKind,
};
use crate::language::Language;
use crate::{
    AlgorithmId, AssetId, ConversationId, MessageId, MessageText, Personal, Timestamp, Title, UserId,
};

#[derive(Debug, Clone)]
pub enum ConversationCommand {
    Start {
        conversation_id: ConversationId,
        owner: UserId,
        title: Title,
        at: Timestamp,
    },
    Rename {
        title: Title,
        at: Timestamp,
    },
    Archive {
        at: Timestamp,
    },
    /// The user said something: a new wish, or `skip` when a picture was asked for.
    PostText {
        message_id: MessageId,
        content: MessageText,
        at: Timestamp,
    },
    ChooseAlgorithm {
        message_id: MessageId,
        algorithm_id: AlgorithmId,
        content: MessageText,
        at: Timestamp,
    },
    AttachPicture {
        message_id: MessageId,
        asset_id: AssetId,
        kind: PictureKind,
        content: MessageText,
        at: Timestamp,
    },
    /// The assistant says something.
    Say {
        message_id: MessageId,
        body: MessageBody,
        line: Line,
        language: Language,
        at: Timestamp,
    },
}

impl Aggregate for Conversation {
    const TYPE: &'static str = "conversation";
    type Command = ConversationCommand;
    type Event = ConversationEvent;
    type Error = ConversationError;
    type Services = ();

    async fn handle(
        &mut self,
        command: ConversationCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), ConversationError> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ConversationEvent) {
        self.fold(event);
    }
}

/// The word with which a user declines to add a picture.
const SKIP: &str = "skip";

impl Conversation {
    fn decide(&self, command: ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        let chat = match (self, command) {
            (Self::NotStarted, ConversationCommand::Start { conversation_id, owner, title, at }) => {
                return Ok(vec![ConversationEvent::ConversationStarted {
                    conversation_id,
                    owner,
                    title: Personal::new(owner, title),
                    started_at: at,
                }]);
            }
            (_, ConversationCommand::Start { .. }) => return Err(ConversationError::AlreadyStarted),
            (Self::NotStarted, _) => return Err(ConversationError::NotStarted),
            (Self::Archived(_), ConversationCommand::Archive { .. }) => return Ok(vec![]),
            // A result that was under way when its chat was archived still belongs to the chat.
            (Self::Archived(chat), ConversationCommand::Say { message_id, body, line, language, at }) => {
                return Ok(vec![chat.said(message_id, body, Content::Spoken { line, language }, at)]);
            }
            (Self::Archived(_), _) => return Err(ConversationError::Archived),
            (Self::Open(chat), command) => (chat, command),
        };
        let (chat, command) = chat;
        chat.decide(command)
    }
}

impl Chat {
    fn decide(&self, command: ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        match command {
            ConversationCommand::Start { .. } => Err(ConversationError::AlreadyStarted),
            ConversationCommand::Rename { title, at } => Ok(vec![ConversationEvent::ConversationRenamed {
                title: Personal::new(self.owner, title),
                automatic: false,
                renamed_at: at,
            }]),
            ConversationCommand::Archive { at } => {
                Ok(vec![ConversationEvent::ConversationArchived { archived_at: at }])
            }
            ConversationCommand::PostText { message_id, content, at } => {
                Ok(self.post_text(message_id, content, at))
            }
            ConversationCommand::ChooseAlgorithm { message_id, algorithm_id, content, at } => {
                if self.brief == Brief::Idle {
                    return Err(ConversationError::NoOpenBrief);
                }
                let body = MessageBody::AlgorithmSelection { algorithm_id };
                Ok(vec![
                    self.wrote(message_id, body, content, at),
                    ConversationEvent::AlgorithmChosen {
                        conversation_id: self.conversation_id,
                        algorithm_id,
                        chosen_at: at,
                    },
                ])
            }
            ConversationCommand::AttachPicture { message_id, asset_id, kind, content, at } => {
                let body = MessageBody::FileUpload { asset_id, asset_type: kind };
                let mut events = vec![
                    self.wrote(message_id, body, content, at),
                    ConversationEvent::PictureAttached { asset_id, kind, attached_at: at },
                ];
                let mut pictures = self.pictures.clone();
                pictures.attach(kind, asset_id);
                events.extend(Self { pictures, ..self.clone() }.completed(at));
                Ok(events)
            }
            ConversationCommand::Say { message_id, body, line, language, at } => {
                Ok(vec![self.said(message_id, body, Content::Spoken { line, language }, at)])
            }
        }
    }

    fn post_text(
        &self,
        message_id: MessageId,
        content: MessageText,
        at: Timestamp,
    ) -> Vec<ConversationEvent> {
        let completed = if content.as_str().eq_ignore_ascii_case(SKIP) { self.completed(at) } else { None };
        let opens_brief = completed.is_none();
        let titled = (opens_brief && !self.titled).then(|| ConversationEvent::ConversationRenamed {
            title: Personal::new(self.owner, Title::from_message(&content)),
            automatic: true,
            renamed_at: at,
        });
        let posted = ConversationEvent::MessagePosted {
            conversation_id: self.conversation_id,
            message_id,
            role: MessageRole::User,
            body: MessageBody::Text,
            content: Content::Words(Personal::new(self.owner, content)),
            posted_at: at,
            opens_brief,
        };
        [Some(posted), titled, completed].into_iter().flatten().collect()
    }

    /// The end of the brief, if only the picture was still open.
    fn completed(&self, at: Timestamp) -> Option<ConversationEvent> {
        let Brief::AwaitingPicture { prompt, algorithm_id } = &self.brief else { return None };
        Some(ConversationEvent::BriefCompleted {
            conversation_id: self.conversation_id,
            prompt: prompt.clone(),
            algorithm_id: *algorithm_id,
            face: self.pictures.face,
            logo: self.pictures.logo,
            completed_at: at,
        })
    }

    /// A message of the user that opens no brief.
    fn wrote(
        &self,
        message_id: MessageId,
        body: MessageBody,
        content: MessageText,
        at: Timestamp,
    ) -> ConversationEvent {
        ConversationEvent::MessagePosted {
            conversation_id: self.conversation_id,
            message_id,
            role: MessageRole::User,
            body,
            content: Content::Words(Personal::new(self.owner, content)),
            posted_at: at,
            opens_brief: false,
        }
    }

    /// A message of the assistant.
    fn said(
        &self,
        message_id: MessageId,
        body: MessageBody,
        content: Content,
        at: Timestamp,
    ) -> ConversationEvent {
        ConversationEvent::MessagePosted {
            conversation_id: self.conversation_id,
            message_id,
            role: MessageRole::Assistant,
            body,
            content,
            posted_at: at,
            opens_brief: false,
        }
    }
}
