//! The state that decisions about a chat rest on.

use serde::{Deserialize, Serialize};

use super::{Content, ConversationEvent, PictureKind};
use crate::{AlgorithmId, AssetId, ConversationId, MessageText, Personal, Timestamp, UserId};

/// The order of the next thumbnail, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Brief {
    #[default]
    Idle,
    AwaitingAlgorithm {
        prompt: Personal<MessageText>,
    },
    AwaitingPicture {
        prompt: Personal<MessageText>,
        algorithm_id: AlgorithmId,
    },
}

/// The pictures that the next thumbnail is to show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pictures {
    pub face: Option<AssetId>,
    pub logo: Option<AssetId>,
}

impl Pictures {
    pub(super) fn attach(&mut self, kind: PictureKind, asset_id: AssetId) {
        match kind {
            PictureKind::Face => self.face = Some(asset_id),
            PictureKind::Logo => self.logo = Some(asset_id),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub conversation_id: ConversationId,
    pub owner: UserId,
    pub started_at: Timestamp,
    pub brief: Brief,
    pub pictures: Pictures,
    /// False until the user or the first message gave the chat a title.
    pub titled: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Conversation {
    #[default]
    NotStarted,
    Open(Chat),
    Archived(Chat),
}

impl Conversation {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub fn chat(&self) -> Option<&Chat> {
        match self {
            Self::NotStarted => None,
            Self::Open(chat) | Self::Archived(chat) => Some(chat),
        }
    }

    pub(super) fn fold(&mut self, event: ConversationEvent) {
        if let ConversationEvent::ConversationStarted { conversation_id, owner, started_at, .. } = event {
            *self = Self::Open(Chat {
                conversation_id,
                owner,
                started_at,
                brief: Brief::Idle,
                pictures: Pictures::default(),
                titled: false,
            });
            return;
        }
        let (Self::Open(chat) | Self::Archived(chat)) = self else { return };
        match event {
            ConversationEvent::ConversationRenamed { .. } => chat.titled = true,
            ConversationEvent::MessagePosted {
                content: Content::Words(prompt), opens_brief: true, ..
            } => {
                chat.brief = Brief::AwaitingAlgorithm { prompt };
            }
            ConversationEvent::AlgorithmChosen { algorithm_id, .. } => {
                let prompt = match std::mem::take(&mut chat.brief) {
                    Brief::AwaitingAlgorithm { prompt } | Brief::AwaitingPicture { prompt, .. } => prompt,
                    Brief::Idle => return,
                };
                chat.brief = Brief::AwaitingPicture { prompt, algorithm_id };
            }
            ConversationEvent::PictureAttached { asset_id, kind, .. } => chat.pictures.attach(kind, asset_id),
            ConversationEvent::BriefCompleted { .. } => {
                chat.brief = Brief::Idle;
                chat.pictures = Pictures::default();
            }
            ConversationEvent::ConversationArchived { .. } => *self = Self::Archived(chat.clone()),
            ConversationEvent::ConversationStarted { .. } | ConversationEvent::MessagePosted { .. } => {}
        }
    }
}
