//! The events that the projection ignores.

use chrono::DateTime;
use cqrs_es::DomainEvent;
use domain::asset::AssetEvent;
use domain::conversation::{ConversationEvent, PictureKind};
use domain::reactions::{Cause, called_for};
use domain::template::StoredPicture;
use domain::{AssetId, ConversationId, Personal, Timestamp, Title, UserId};
use uuid::Uuid;

use super::WorkToDo;
use crate::Projection;

const ID: Uuid = Uuid::from_u128(1);
const AT: Timestamp = DateTime::UNIX_EPOCH;

/// An ignored event is not read, so an ignored event that called for work would be lost.
#[test]
fn an_ignored_event_calls_for_nothing() {
    let title = Personal::new(UserId(ID), Title::parse("a title").unwrap());
    let started = ConversationEvent::ConversationStarted {
        conversation_id: ConversationId(ID),
        owner: UserId(ID),
        title: title.clone(),
        started_at: AT,
    };
    let renamed = ConversationEvent::ConversationRenamed { title, automatic: true, renamed_at: AT };
    let archived = ConversationEvent::ConversationArchived { archived_at: AT };
    let attached = ConversationEvent::PictureAttached {
        asset_id: AssetId(ID),
        kind: PictureKind::Face,
        attached_at: AT,
    };
    let uploaded = AssetEvent::AssetUploaded {
        asset_id: AssetId(ID),
        owner: UserId(ID),
        kind: PictureKind::Face,
        picture: StoredPicture {
            key: "a".to_owned(),
            mime: "image/png".to_owned(),
            size_bytes: 1,
            width: 1,
            height: 1,
        },
        file_name: Personal::new(UserId(ID), "a.png".to_owned()),
        uploaded_at: AT,
    };
    let ignored = [started, renamed, archived, attached];
    let mut names = vec![uploaded.event_type()];
    names.extend(ignored.iter().map(DomainEvent::event_type));
    assert_eq!(names.as_slice(), WorkToDo.spec().ignored_events);
    assert_eq!(called_for(Cause::Asset(&uploaded)), vec![]);
    for event in &ignored {
        assert_eq!(called_for(Cause::Conversation(event)), vec![], "{event:?}");
    }
}
