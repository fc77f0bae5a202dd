//! The form of a message.

use chrono::DateTime;
use domain::conversation::{AlgorithmOption, Content, Line, MessageBody, MessageRole, PictureKind};
use domain::language::Language;
use domain::{AlgorithmId, AssetId, Credits, MessageId, MessageText, Personal, RequestId, Slug, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MessageView, message_view};

const ID: Uuid = Uuid::from_u128(7);

fn view(body: &MessageBody) -> MessageView {
    let content = Content::Words(Personal::new(UserId(ID), MessageText::parse("hello").unwrap()));
    message_view(MessageId(ID), MessageRole::User, body, &content, DateTime::UNIX_EPOCH)
}

fn spoken(line: Line, language: Language) -> MessageView {
    let content = Content::Spoken { line, language };
    message_view(MessageId(ID), MessageRole::Assistant, &MessageBody::Text, &content, DateTime::UNIX_EPOCH)
}

fn metadata(body: &MessageBody) -> Value {
    view(body).metadata
}

#[test]
fn a_message_is_sent_with_the_fields_of_the_contract() {
    let sent = serde_json::to_value(view(&MessageBody::Text)).unwrap();
    assert_eq!(
        sent,
        json!({
            "id": ID,
            "role": "user",
            "type": "text",
            "content": "hello",
            "metadata": {},
            "timestamp": "1970-01-01T00:00:00Z",
        })
    );
}

#[test]
fn what_a_user_sent_is_in_the_metadata() {
    let selection = MessageBody::AlgorithmSelection { algorithm_id: AlgorithmId(ID) };
    assert_eq!(metadata(&selection), json!({ "algorithm_id": ID }));
    let upload = MessageBody::FileUpload { asset_id: AssetId(ID), asset_type: PictureKind::Face };
    assert_eq!(metadata(&upload), json!({ "asset_id": ID, "asset_type": "face" }));
}

#[test]
fn what_a_user_can_do_next_is_in_the_metadata() {
    let option = AlgorithmOption {
        id: AlgorithmId(ID),
        slug: Slug::parse("routix_pro").unwrap(),
        name: "Routix Pro".to_owned(),
        credit_cost: Credits(5),
    };
    assert_eq!(
        metadata(&MessageBody::AlgorithmSelect { options: vec![option] }),
        json!({ "options": [{ "id": ID, "slug": "routix_pro", "name": "Routix Pro", "credit_cost": 5 }] })
    );
    let request = MessageBody::UploadRequest { accepted_types: vec!["image/png".to_owned()], max_bytes: 9 };
    assert_eq!(
        metadata(&request),
        json!({
            "accepted_types": ["image/png"],
            "max_bytes": 9,
            "actions": ["upload_face", "upload_logo", "skip"],
        })
    );
}

#[test]
fn a_result_names_its_picture_and_how_long_it_took() {
    let result = |generation_time_ms| MessageBody::ThumbnailResult {
        request_id: RequestId(ID),
        generation_time_ms,
        algorithm: "Routix Pro".to_owned(),
    };
    assert_eq!(
        metadata(&result(28_000)),
        json!({
            "request_id": ID,
            "image_url": format!("/api/v1/generation/{ID}/image"),
            "actions": ["download", "regenerate", "share"],
            "generation_time": "28s",
            "algorithm": "Routix Pro",
        })
    );
    for (millis, text) in [(3_240, "3.2s"), (3_250, "3.3s"), (49, "0s"), (27_990, "28s")] {
        assert_eq!(metadata(&result(millis))["generation_time"], text);
    }
}

#[test]
fn erased_words_are_shown_as_erased() {
    let content = Content::Words(Personal::Erased { owner: UserId(ID) });
    let view =
        message_view(MessageId(ID), MessageRole::User, &MessageBody::Text, &content, DateTime::UNIX_EPOCH);
    assert_eq!((view.content.as_str(), view.role.as_str()), ("erased", "user"));
}

#[test]
fn what_the_assistant_says_is_read_in_its_language_and_told_apart_by_its_key() {
    for language in Language::ALL {
        let view = spoken(Line::Perfect, *language);
        assert_eq!(view.content, Line::Perfect.text(*language));
        assert_eq!(view.role, "assistant");
        assert_eq!(view.metadata, json!({ "line": "perfect", "is_final": false }));
    }
    assert_eq!(
        spoken(Line::ContentRejected, Language::German).metadata,
        json!({ "line": "content_rejected", "is_final": true })
    );
}
