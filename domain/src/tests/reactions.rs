//! The work that events call for.

use crate::asset::AssetEvent;
use crate::conversation::{Content, ConversationEvent, MessageBody, MessageRole, PictureKind};
use crate::reactions::{Call, Cause, Role, Task, called_for};
use crate::template::TemplateEvent;
use crate::tests::examples::{ALICE, CHAT, FACE, MESSAGE, ROUTIX_V1, SUNSET, hers, minute, title, words};
use crate::tests::samples::examples_of_requests;
use crate::user::{AskedBy, UserEvent};

fn now(task: Task) -> Vec<Call> {
    vec![Call { task, due_at: None }]
}

fn of_chat(event: &ConversationEvent) -> Vec<Call> {
    called_for(Cause::Conversation(event))
}

#[test]
fn each_turn_of_a_brief_is_the_assistants() {
    let posted = |opens_brief| ConversationEvent::MessagePosted {
        conversation_id: CHAT,
        message_id: MESSAGE,
        role: MessageRole::User,
        body: MessageBody::Text,
        content: Content::Words(hers(words("a wish"))),
        posted_at: minute(1),
        opens_brief,
    };
    let chosen = ConversationEvent::AlgorithmChosen {
        conversation_id: CHAT,
        algorithm_id: ROUTIX_V1,
        chosen_at: minute(2),
    };
    let completed = ConversationEvent::BriefCompleted {
        conversation_id: CHAT,
        prompt: hers(words("a wish")),
        algorithm_id: ROUTIX_V1,
        face: None,
        logo: None,
        completed_at: minute(3),
    };
    assert_eq!(of_chat(&posted(true)), now(Task::OfferAlgorithms));
    assert_eq!(of_chat(&posted(false)), vec![]);
    assert_eq!(of_chat(&chosen), now(Task::AskForPicture));
    assert_eq!(of_chat(&completed), now(Task::StartGeneration));
}

#[test]
fn a_title_a_picture_and_the_archive_call_for_nothing() {
    let started = ConversationEvent::ConversationStarted {
        conversation_id: CHAT,
        owner: ALICE,
        title: hers(title("New chat")),
        started_at: minute(0),
    };
    let renamed = ConversationEvent::ConversationRenamed {
        title: hers(title("Volcano cats")),
        automatic: true,
        renamed_at: minute(1),
    };
    let attached = ConversationEvent::PictureAttached {
        asset_id: FACE,
        kind: PictureKind::Face,
        attached_at: minute(2),
    };
    let archived = ConversationEvent::ConversationArchived { archived_at: minute(3) };
    for event in [started, renamed, attached, archived] {
        assert_eq!(of_chat(&event), vec![], "{event:?}");
    }
}

#[test]
fn a_request_is_carried_out_at_once_and_ended_at_its_deadline() {
    let deadline = Call { task: Task::GenerationDeadline, due_at: Some(minute(10)) };
    let expected = [now(Task::Generate), vec![deadline]].concat();
    let mut requests = 0;
    for event in examples_of_requests() {
        let calls = called_for(Cause::GenerationRequest(&event));
        if cqrs_es::DomainEvent::event_type(&event) == "GenerationRequested" {
            requests += 1;
            assert_eq!(calls, expected);
        } else {
            assert_eq!(calls, vec![], "{event:?}");
        }
    }
    assert!(requests > 0);
}

#[test]
fn an_analysis_that_failed_is_due_again_only_when_the_event_says_when() {
    let failed = |retry_at| TemplateEvent::TemplateAnalysisFailed {
        template_id: SUNSET,
        attempt: 1,
        reason: "away".to_owned(),
        retry_at,
        failed_at: minute(1),
    };
    let of_template = |event| called_for(Cause::Template(&event));
    let again = Call { task: Task::Analyze, due_at: Some(minute(2)) };
    assert_eq!(of_template(failed(Some(minute(2)))), vec![again]);
    assert_eq!(of_template(failed(None)), vec![]);
    let requested = TemplateEvent::TemplateAnalysisRequested { template_id: SUNSET, requested_at: minute(0) };
    assert_eq!(of_template(requested), now(Task::Analyze));
    assert_eq!(of_template(TemplateEvent::TemplateActivated { activated_at: minute(3) }), vec![]);
}

#[test]
fn an_erased_person_leaves_pictures_to_delete() {
    let erased =
        UserEvent::PersonErased { user_id: ALICE, asked_by: AskedBy::Operator, erased_at: minute(1) };
    assert_eq!(called_for(Cause::User(&erased)), now(Task::EraseObjects));
    let reactivated = UserEvent::UserReactivated { reactivated_at: minute(2) };
    assert_eq!(called_for(Cause::User(&reactivated)), vec![]);
}

#[test]
fn a_deleted_picture_leaves_an_object_to_delete() {
    let deleted = AssetEvent::AssetDeleted { asset_id: FACE, deleted_at: minute(1) };
    assert_eq!(called_for(Cause::Asset(&deleted)), now(Task::DeleteObjects));
}

/// Rows of `work` outlive the program that wrote them.
#[test]
fn the_stored_names_of_tasks_and_roles_stay() {
    let rows = Task::ALL.iter().map(|task| (task.role().name(), task.name())).collect::<Vec<_>>();
    assert_eq!(
        rows,
        [
            ("assistant", "offer_algorithms"),
            ("assistant", "ask_for_picture"),
            ("assistant", "start_generation"),
            ("generation", "generate"),
            ("timers", "generation_deadline"),
            ("analysis", "analyze"),
            ("cleanup", "erase_objects"),
            ("cleanup", "delete_objects"),
        ]
    );
    for task in Task::ALL {
        assert_eq!(Task::parse(task.name()), Some(*task));
        assert!(task.role().tasks().any(|of_role| of_role == *task));
    }
    assert_eq!(Task::parse("tell_a_joke"), None);
    assert!(Role::ALL.iter().all(|role| role.tasks().count() > 0), "every role has work");
}
