//! Which events call for work.

use cqrs_es::Aggregate;
use domain::Timestamp;
use domain::conversation::{Conversation, ConversationEvent};
use domain::generation_request::{GenerationRequest, GenerationRequestEvent};
use domain::template::{Template, TemplateEvent};
use domain::user::User;
use event_log::{LogError, OpenedEvent};

use super::{
    ROLE_ANALYSIS, ROLE_ASSISTANT, ROLE_CLEANUP, ROLE_GENERATION, ROLE_TIMERS, TASK_ANALYZE,
    TASK_ASK_FOR_PICTURE, TASK_ERASE_OBJECTS, TASK_GENERATE, TASK_GENERATION_DEADLINE, TASK_OFFER_ALGORITHMS,
    TASK_START_GENERATION,
};

/// Something that an event calls for. The subject is the event's aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) role: &'static str,
    pub(super) task: &'static str,
    /// `None` for at once.
    pub(super) due_at: Option<Timestamp>,
}

impl Order {
    const fn now(role: &'static str, task: &'static str) -> Self {
        Self { role, task, due_at: None }
    }
}

pub(super) fn orders_of(event: &OpenedEvent) -> Result<Vec<Order>, LogError> {
    Ok(match event.recorded.aggregate_type.as_str() {
        Conversation::TYPE => of_conversation(&event.parse()?),
        GenerationRequest::TYPE => of_request(&event.parse()?),
        Template::TYPE => of_template(&event.parse()?),
        User::TYPE if event.recorded.event_type == "PersonErased" => {
            vec![Order::now(ROLE_CLEANUP, TASK_ERASE_OBJECTS)]
        }
        _ => vec![],
    })
}

fn of_conversation(event: &ConversationEvent) -> Vec<Order> {
    match event {
        ConversationEvent::MessagePosted { opens_brief: true, .. }
        | ConversationEvent::BriefOpened { .. } => {
            vec![Order::now(ROLE_ASSISTANT, TASK_OFFER_ALGORITHMS)]
        }
        ConversationEvent::AlgorithmChosen { .. } => vec![Order::now(ROLE_ASSISTANT, TASK_ASK_FOR_PICTURE)],
        ConversationEvent::BriefCompleted { .. } => vec![Order::now(ROLE_ASSISTANT, TASK_START_GENERATION)],
        _ => vec![],
    }
}

fn of_request(event: &GenerationRequestEvent) -> Vec<Order> {
    match event {
        GenerationRequestEvent::GenerationRequested { deadline_at, .. } => vec![
            Order::now(ROLE_GENERATION, TASK_GENERATE),
            Order { role: ROLE_TIMERS, task: TASK_GENERATION_DEADLINE, due_at: Some(*deadline_at) },
        ],
        _ => vec![],
    }
}

fn of_template(event: &TemplateEvent) -> Vec<Order> {
    match event {
        TemplateEvent::TemplateUploaded { .. } | TemplateEvent::TemplateAnalysisRequested { .. } => {
            vec![Order::now(ROLE_ANALYSIS, TASK_ANALYZE)]
        }
        TemplateEvent::TemplateAnalysisFailed { retry_at: Some(retry_at), .. } => {
            vec![Order { role: ROLE_ANALYSIS, task: TASK_ANALYZE, due_at: Some(*retry_at) }]
        }
        _ => vec![],
    }
}
