//! The ladder and its words.

use chrono::DateTime;
use domain::generation_request::{AttemptProblem, FailureReason, GenerationRequestEvent};
use domain::{AttemptId, MicroUsd, RequestId};
use uuid::Uuid;

use super::{GenerationStatus, message_of, stage_of};

const REQUEST: RequestId = RequestId(Uuid::from_u128(1));
const ATTEMPT: AttemptId = AttemptId(Uuid::from_u128(2));
const AT: domain::Timestamp = DateTime::UNIX_EPOCH;

fn failed(reason: FailureReason) -> GenerationRequestEvent {
    GenerationRequestEvent::GenerationFailed { request_id: REQUEST, reason, cost: MicroUsd(0), failed_at: AT }
}

#[test]
fn statuses_are_the_words_of_the_contract() {
    let words: Vec<&str> = GenerationStatus::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(
        words,
        ["pending", "analyzing", "searching", "composing", "generating", "completed", "failed", "cancelled"]
    );
    for status in GenerationStatus::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        assert_eq!(GenerationStatus::parse(status.name()), Some(*status));
    }
    assert_eq!(GenerationStatus::parse("done"), None);
}

#[test]
fn steps_have_the_percents_and_texts_of_the_seed() {
    let begun = GenerationRequestEvent::AnalysisStarted { request_id: REQUEST, started_at: AT };
    let matched =
        GenerationRequestEvent::TemplatesMatched { request_id: REQUEST, matches: vec![], matched_at: AT };
    let attempted = GenerationRequestEvent::AttemptStarted {
        request_id: REQUEST,
        attempt_id: ATTEMPT,
        number: 1,
        provider: "studio".to_owned(),
        price: MicroUsd(0),
        started_at: AT,
    };
    let ladder = [begun, matched, attempted].map(|event| {
        let stage = stage_of(&event).unwrap();
        (stage.status.name(), stage.progress, stage.message)
    });
    assert_eq!(
        ladder,
        [
            ("analyzing", Some(10), "Analyzing your request...".to_owned()),
            ("composing", Some(50), "Composing generation prompt...".to_owned()),
            ("generating", Some(70), "Generating your thumbnail...".to_owned()),
        ]
    );
}

#[test]
fn a_failure_tells_its_reason_and_leaves_the_progress_alone() {
    let stage = stage_of(&failed(FailureReason::TimedOut)).unwrap();
    assert_eq!((stage.status, stage.progress), (GenerationStatus::Failed, None));
    assert_eq!(stage.message, "Generation failed: it took too long");
    assert_eq!(message_of(GenerationStatus::Pending, None), "Waiting to start...");
}

#[test]
fn an_attempt_that_ends_is_no_stage() {
    let ended = GenerationRequestEvent::AttemptEnded {
        request_id: REQUEST,
        attempt_id: ATTEMPT,
        problem: AttemptProblem::Unavailable,
        ended_at: AT,
    };
    assert_eq!(stage_of(&ended), None);
}
