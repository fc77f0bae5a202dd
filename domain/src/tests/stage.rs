//! The ladder that people are shown.

use cqrs_es::DomainEvent;

use crate::generation_request::{FailureReason, GenerationRequestEvent, Status, percent_while_drawing};
use crate::language::Language::{English, German};
use crate::tests::samples::examples_of_requests;

fn example(event_type: &str) -> GenerationRequestEvent {
    examples_of_requests().into_iter().find(|event| event.event_type() == event_type).unwrap()
}

#[test]
fn statuses_are_the_words_of_the_contract() {
    let words: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(
        words,
        ["pending", "analyzing", "searching", "composing", "generating", "completed", "failed", "cancelled"]
    );
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        assert_eq!(Status::parse(status.name()), Some(*status));
    }
    let unknown = Status::try_from("done".to_owned()).unwrap_err();
    assert_eq!(unknown.to_string(), "done is no Status");
}

#[test]
fn steps_have_the_percents_and_texts_of_the_contract() {
    let rungs =
        ["AnalysisStarted", "IntentAnalyzed", "TemplatesMatched", "AttemptStarted", "GenerationCompleted"]
            .map(|event| {
                let status = Status::entered_by(&example(event)).unwrap();
                (status.name(), status.percent(), status.sentence(English))
            });
    assert_eq!(
        rungs,
        [
            ("analyzing", Some(10), "Analyzing your request..."),
            ("searching", Some(30), "Finding best matching templates..."),
            ("composing", Some(50), "Composing generation prompt..."),
            ("generating", Some(70), "Generating your thumbnail..."),
            ("completed", Some(100), "Your thumbnail is ready!"),
        ]
    );
}

#[test]
fn progress_never_falls_on_the_way_to_a_picture() {
    let on_the_way = Status::ALL.iter().filter_map(|status| status.percent());
    assert!(on_the_way.is_sorted());
    let drawing: Vec<u8> = (0..=u8::MAX).map(percent_while_drawing).collect();
    assert!(drawing.is_sorted());
    assert_eq!((drawing[0], drawing[50], drawing[100], drawing[255]), (70, 82, 95, 95));
    assert_eq!(Status::Generating.percent(), drawing.first().copied());
}

#[test]
fn a_request_without_a_picture_keeps_its_progress() {
    for (event, status) in [("GenerationFailed", Status::Failed), ("GenerationCancelled", Status::Cancelled)]
    {
        assert_eq!(Status::entered_by(&example(event)), Some(status));
        assert_eq!(status.percent(), None);
        assert!(status.is_final());
    }
    assert!(!Status::Generating.is_final());
}

#[test]
fn a_composed_prompt_and_the_end_of_an_attempt_lead_to_no_other_rung() {
    for event in ["PromptComposed", "AttemptEnded"] {
        assert_eq!(Status::entered_by(&example(event)), None);
    }
}

#[test]
fn a_failure_tells_its_reason() {
    let late = FailureReason::TimedOut;
    assert_eq!(late.sentence(English), "Generation failed: it took too long");
    let internal = FailureReason::Internal;
    assert_eq!(internal.sentence(English), "Generation failed: something went wrong on our side");
    assert_eq!(late.sentence(German), "Das hat nicht geklappt: es hat zu lange gedauert");
}
