//! Which events call for what.

use std::sync::Arc;

use chrono::DateTime;
use cqrs_es::{Aggregate, DomainEvent};
use domain::conversation::{Conversation, ConversationEvent, MessageBody, MessageRole, PictureKind};
use domain::template::{Template, TemplateEvent};
use domain::{
    AlgorithmId, AssetId, ConversationId, MessageId, MessageText, Personal, TemplateId, Timestamp, UserId,
};
use event_log::{OpenedEvent, RecordedEvent};
use serde::Serialize;
use uuid::Uuid;

use super::orders::{Order, orders_of};

const ID: Uuid = Uuid::from_u128(1);
const AT: Timestamp = DateTime::UNIX_EPOCH;

fn orders<E: DomainEvent + Serialize>(aggregate_type: &str, event: &E) -> Vec<Order> {
    let recorded = RecordedEvent {
        position: 1,
        aggregate_type: aggregate_type.to_owned(),
        aggregate_id: ID.to_string(),
        sequence: 1,
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: String::new(),
        metadata: String::new(),
        event_id: ID,
        owner_id: None,
        recorded_at: AT,
        chain: vec![],
    };
    let payload = serde_json::to_string(event).unwrap();
    orders_of(&OpenedEvent { recorded: Arc::new(recorded), payload }).unwrap()
}

fn now(role: &'static str, task: &'static str) -> Vec<Order> {
    vec![Order { role, task, due_at: None }]
}

#[test]
fn each_turn_of_a_brief_is_the_assistants() {
    let prompt = Personal::new(UserId(ID), MessageText::parse("a wish").unwrap());
    let (conversation_id, algorithm_id) = (ConversationId(ID), AlgorithmId(ID));
    let posted = |opens_brief| ConversationEvent::MessagePosted {
        conversation_id,
        message_id: MessageId(ID),
        role: MessageRole::User,
        body: MessageBody::Text,
        content: prompt.clone(),
        posted_at: AT,
        opens_brief,
    };
    let opened = ConversationEvent::BriefOpened { conversation_id, prompt: prompt.clone(), opened_at: AT };
    let chosen = ConversationEvent::AlgorithmChosen { conversation_id, algorithm_id, chosen_at: AT };
    let completed = ConversationEvent::BriefCompleted {
        conversation_id,
        prompt: prompt.clone(),
        algorithm_id,
        face: None,
        logo: None,
        completed_at: AT,
    };
    assert_eq!(orders(Conversation::TYPE, &posted(true)), now("assistant", "offer_algorithms"));
    assert_eq!(orders(Conversation::TYPE, &posted(false)), vec![]);
    assert_eq!(orders(Conversation::TYPE, &opened), now("assistant", "offer_algorithms"));
    assert_eq!(orders(Conversation::TYPE, &chosen), now("assistant", "ask_for_picture"));
    assert_eq!(orders(Conversation::TYPE, &completed), now("assistant", "start_generation"));
    let attached = ConversationEvent::PictureAttached {
        asset_id: AssetId(ID),
        kind: PictureKind::Face,
        attached_at: AT,
    };
    assert_eq!(orders(Conversation::TYPE, &attached), vec![]);
}

#[test]
fn what_is_passed_over_calls_for_nothing() {
    use crate::Projection;
    use crate::work::WorkToDo;
    let (conversation_id, at) = (ConversationId(ID), AT);
    let title = Personal::new(UserId(ID), domain::Title::parse("a title").unwrap());
    let started = ConversationEvent::ConversationStarted {
        conversation_id,
        owner: UserId(ID),
        title: title.clone(),
        started_at: at,
    };
    let renamed = ConversationEvent::ConversationRenamed { title, automatic: true, renamed_at: at };
    let archived = ConversationEvent::ConversationArchived { archived_at: at };
    let attached = ConversationEvent::PictureAttached {
        asset_id: AssetId(ID),
        kind: PictureKind::Face,
        attached_at: at,
    };
    let without = [started, renamed, archived, attached];
    assert_eq!(without.each_ref().map(DomainEvent::event_type), WorkToDo.passes_over());
    for event in &without {
        assert_eq!(orders(Conversation::TYPE, event), vec![]);
    }
}

#[test]
fn an_analysis_that_failed_is_due_again_only_when_the_event_says_when() {
    let failed = |retry_at| TemplateEvent::TemplateAnalysisFailed {
        template_id: TemplateId(ID),
        attempt: 1,
        reason: "away".to_owned(),
        retry_at,
        failed_at: AT,
    };
    let again = Order { role: "analysis", task: "analyze", due_at: Some(AT) };
    assert_eq!(orders(Template::TYPE, &failed(Some(AT))), vec![again]);
    assert_eq!(orders(Template::TYPE, &failed(None)), vec![]);
    let requested =
        TemplateEvent::TemplateAnalysisRequested { template_id: TemplateId(ID), requested_at: AT };
    assert_eq!(orders(Template::TYPE, &requested), now("analysis", "analyze"));
}
