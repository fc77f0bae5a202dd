//! Examples of what happens in chats.

use crate::conversation::{
    AlgorithmOption, Content, ConversationEvent, Line, MessageBody, MessageRole, PictureKind,
};
use crate::language::Language;
use crate::tests::examples::{
    ALICE, CHAT, FACE, LOGO, MESSAGE, ORDER, ROUTIX_V1, hers, minute, title, words,
};
use crate::tests::lines::examples_of_lines;
use crate::{AssetId, Credits, Slug};

pub(super) fn conversation() -> Vec<ConversationEvent> {
    let renamed = |automatic| ConversationEvent::ConversationRenamed {
        title: hers(title("Volcano cats")),
        automatic,
        renamed_at: minute(1),
    };
    let attached =
        |asset_id, kind| ConversationEvent::PictureAttached { asset_id, kind, attached_at: minute(4) };
    let completed = |face: Option<AssetId>, logo: Option<AssetId>| ConversationEvent::BriefCompleted {
        conversation_id: CHAT,
        prompt: hers(words("A cat that conquers a volcano")),
        algorithm_id: ROUTIX_V1,
        face,
        logo,
        completed_at: minute(5),
    };
    let mut events = vec![
        ConversationEvent::ConversationStarted {
            conversation_id: CHAT,
            owner: ALICE,
            title: hers(title("New chat")),
            started_at: minute(0),
        },
        renamed(true),
        renamed(false),
        ConversationEvent::ConversationArchived { archived_at: minute(9) },
        ConversationEvent::AlgorithmChosen {
            conversation_id: CHAT,
            algorithm_id: ROUTIX_V1,
            chosen_at: minute(3),
        },
        attached(FACE, PictureKind::Face),
        attached(LOGO, PictureKind::Logo),
        completed(Some(FACE), Some(LOGO)),
        completed(None, None),
    ];
    events.extend(messages());
    events
}

fn messages() -> Vec<ConversationEvent> {
    let upload = |asset_id, asset_type| MessageBody::FileUpload { asset_id, asset_type };
    let option = AlgorithmOption {
        id: ROUTIX_V1,
        slug: Slug::parse("routix_v1").unwrap(),
        name: "Routix v1".to_owned(),
        credit_cost: Credits(2),
    };
    let bodies = [
        (MessageRole::User, MessageBody::Text),
        (MessageRole::User, MessageBody::AlgorithmSelection { algorithm_id: ROUTIX_V1 }),
        (MessageRole::User, upload(FACE, PictureKind::Face)),
        (MessageRole::User, upload(LOGO, PictureKind::Logo)),
        (MessageRole::Assistant, MessageBody::AlgorithmSelect { options: vec![option] }),
        (
            MessageRole::Assistant,
            MessageBody::UploadRequest { accepted_types: vec!["image/png".to_owned()], max_bytes: 5 << 20 },
        ),
        (
            MessageRole::Assistant,
            MessageBody::ThumbnailResult {
                request_id: ORDER,
                generation_time_ms: 3200,
                algorithm: "Routix v1".to_owned(),
            },
        ),
        (MessageRole::System, MessageBody::Text),
    ];
    let wish = || Content::Words(hers(words("A cat that conquers a volcano")));
    let posted = |role, body, content| ConversationEvent::MessagePosted {
        conversation_id: CHAT,
        message_id: MESSAGE,
        role,
        opens_brief: (role, &body) == (MessageRole::User, &MessageBody::Text),
        body,
        content,
        posted_at: minute(2),
    };
    let in_english = |line| Content::Spoken { line, language: Language::English };
    let mut answers: Vec<_> = examples_of_lines().into_iter().map(in_english).collect();
    answers.push(Content::Spoken { line: Line::GotIt, language: Language::German });
    let mut messages: Vec<_> = bodies.into_iter().map(|(role, body)| posted(role, body, wish())).collect();
    messages
        .extend(answers.into_iter().map(|answer| posted(MessageRole::Assistant, MessageBody::Text, answer)));
    messages
}
