//! The events of a chat.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::line::Line;
use crate::event_names::event_names;
use crate::language::Language;
use crate::{
    AlgorithmId, AssetId, ConversationId, Credits, MessageId, MessageText, Personal, RequestId, Slug,
    Timestamp, Title, UserId,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRole {
    User,
    Assistant,
    System,
}

/// The motif of an uploaded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureKind {
    Face,
    Logo,
}

impl PictureKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Logo => "logo",
        }
    }
}

/// An algorithm as it is offered in a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmOption {
    pub id: AlgorithmId,
    pub slug: Slug,
    pub name: String,
    pub credit_cost: Credits,
}

/// The kind of a message, with its data besides the words. The tag is the `type` that clients see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageBody {
    Text,
    AlgorithmSelection { algorithm_id: AlgorithmId },
    FileUpload { asset_id: AssetId, asset_type: PictureKind },
    AlgorithmSelect { options: Vec<AlgorithmOption> },
    UploadRequest { accepted_types: Vec<String>, max_bytes: u64 },
    ThumbnailResult { request_id: RequestId, generation_time_ms: u64, algorithm: String },
}

impl MessageBody {
    /// The `type` of the message in the API.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::AlgorithmSelection { .. } => "algorithm_selection",
            Self::FileUpload { .. } => "file_upload",
            Self::AlgorithmSelect { .. } => "algorithm_select",
            Self::UploadRequest { .. } => "upload_request",
            Self::ThumbnailResult { .. } => "thumbnail_result",
        }
    }
}

/// The words of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// As a person wrote them.
    Words(Personal<MessageText>),
    /// As the assistant says them: the text is made where somebody reads it.
    Spoken { line: Line, language: Language },
}

impl Content {
    /// The text for a reader; `erased` in place of the words of an erased person.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Words(words) => Cow::Borrowed(words.text()),
            Self::Spoken { line, language } => Cow::Owned(line.text(*language)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ConversationEvent {
    ConversationStarted {
        conversation_id: ConversationId,
        owner: UserId,
        title: Personal<Title>,
        started_at: Timestamp,
    },
    ConversationRenamed {
        title: Personal<Title>,
        /// True when the title was made from the first message.
        automatic: bool,
        renamed_at: Timestamp,
    },
    ConversationArchived {
        archived_at: Timestamp,
    },
    MessagePosted {
        conversation_id: ConversationId,
        message_id: MessageId,
        role: MessageRole,
        body: MessageBody,
        content: Content,
        posted_at: Timestamp,
        /// True when the user said what they want: the algorithms are to be offered.
        opens_brief: bool,
    },
    /// The user chose an algorithm: a face or logo is to be asked for.
    AlgorithmChosen {
        conversation_id: ConversationId,
        algorithm_id: AlgorithmId,
        chosen_at: Timestamp,
    },
    PictureAttached {
        asset_id: AssetId,
        kind: PictureKind,
        attached_at: Timestamp,
    },
    /// Nothing is missing: the generation is to be requested.
    BriefCompleted {
        conversation_id: ConversationId,
        prompt: Personal<MessageText>,
        algorithm_id: AlgorithmId,
        face: Option<AssetId>,
        logo: Option<AssetId>,
        completed_at: Timestamp,
    },
}

event_names!(ConversationEvent {
    ConversationStarted => "1.0",
    ConversationRenamed => "1.0",
    ConversationArchived => "1.0",
    MessagePosted => "1.0",
    AlgorithmChosen => "1.0",
    PictureAttached => "1.0",
    BriefCompleted => "1.0",
});
