//! Named examples that the specifications share.

use chrono::{DateTime, Duration};
use cqrs_es::Aggregate;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use uuid::Uuid;

use crate::template::StoredPicture;
use crate::{
    AlgorithmId, AssetId, AttemptId, ConversationId, GrantId, MessageId, MessageText, Personal, RequestId,
    SessionId, TemplateId, Timestamp, Title, UserId,
};

pub(crate) const ALICE: UserId = UserId(Uuid::from_u128(0xA11CE));
pub(crate) const CHAT: ConversationId = ConversationId(Uuid::from_u128(0xC4A7));
pub(crate) const LOGIN: SessionId = SessionId(Uuid::from_u128(0x5E55));
pub(crate) const SUNSET: TemplateId = TemplateId(Uuid::from_u128(0x7E));
pub(crate) const ROUTIX_V1: AlgorithmId = AlgorithmId(Uuid::from_u128(0xA1));
pub(crate) const ROUTIX_V2: AlgorithmId = AlgorithmId(Uuid::from_u128(0xA2));
pub(crate) const FACE: AssetId = AssetId(Uuid::from_u128(0xFACE));
pub(crate) const LOGO: AssetId = AssetId(Uuid::from_u128(0x1060));
pub(crate) const ORDER: RequestId = RequestId(Uuid::from_u128(0x01DE4));
pub(crate) const OTHER_ORDER: RequestId = RequestId(Uuid::from_u128(0x07DE4));
pub(crate) const FIRST_TRY: AttemptId = AttemptId(Uuid::from_u128(1));
pub(crate) const SECOND_TRY: AttemptId = AttemptId(Uuid::from_u128(2));
pub(crate) const SIGNUP: GrantId = GrantId(Uuid::from_u128(0x516));
pub(crate) const TOP_UP: GrantId = GrantId(Uuid::from_u128(0x709));
pub(crate) const MESSAGE: MessageId = MessageId(Uuid::from_u128(0x3E));

/// So many minutes after the examples begin.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap() + Duration::minutes(minutes)
}

pub(crate) fn words(text: &str) -> MessageText {
    MessageText::parse(text).unwrap()
}

pub(crate) fn title(text: &str) -> Title {
    Title::parse(text).unwrap()
}

/// Something that belongs to Alice.
pub(crate) fn hers<T>(value: T) -> Personal<T> {
    Personal::new(ALICE, value)
}

pub(crate) fn picture(key: &str) -> StoredPicture {
    StoredPicture {
        key: key.to_owned(),
        mime: "image/png".to_owned(),
        size_bytes: 48_213,
        width: 1280,
        height: 720,
    }
}

pub(crate) fn given<A: Aggregate<Services = ()>>(events: Vec<A::Event>) -> AggregateTestExecutor<A> {
    TestFramework::with(()).given(events)
}
