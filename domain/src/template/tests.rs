//! Given, when, then.

use serde_json::json;

use super::*;
use crate::tests::examples::{SUNSET, given, minute, picture};

const RETRY_AFTER_MINUTES: i64 = 1;

fn upload() -> TemplateCommand {
    TemplateCommand::Upload {
        template_id: SUNSET,
        image: picture("templates/sunset.png"),
        preview: picture("templates/sunset-small.png"),
        category: "travel".to_owned(),
        tags: vec!["warm".to_owned()],
        description: "a sunset".to_owned(),
        at: minute(0),
    }
}

fn uploaded() -> TemplateEvent {
    TemplateEvent::TemplateUploaded {
        template_id: SUNSET,
        image: picture("templates/sunset.png"),
        preview: picture("templates/sunset-small.png"),
        category: "travel".to_owned(),
        tags: vec!["warm".to_owned()],
        description: "a sunset".to_owned(),
        uploaded_at: minute(0),
    }
}

fn analysis() -> Box<Analysis> {
    Box::new(Analysis {
        style_dna: json!({ "palette": ["#ff8800"] }),
        embedding: Embedding(vec![0.6, 0.8]),
        embedding_model: "studio-1".to_owned(),
        searchable_text: "warm sunset".to_owned(),
        category: "travel".to_owned(),
        has_face: false,
        has_text: true,
        has_logo: false,
        energy_level: 7,
        analyzed_by: "studio".to_owned(),
        analysis_version: "1".to_owned(),
    })
}

fn request_analysis() -> TemplateCommand {
    TemplateCommand::RequestAnalysis { at: minute(9) }
}

fn analysis_requested() -> TemplateEvent {
    TemplateEvent::TemplateAnalysisRequested { template_id: SUNSET, requested_at: minute(9) }
}

fn start() -> TemplateCommand {
    TemplateCommand::StartAnalysis { at: minute(1) }
}

fn started(attempt: u32) -> TemplateEvent {
    TemplateEvent::TemplateAnalysisStarted { template_id: SUNSET, attempt, started_at: minute(1) }
}

fn record_analysis() -> TemplateCommand {
    TemplateCommand::RecordAnalysis { analysis: analysis(), at: minute(2) }
}

fn analyzed() -> TemplateEvent {
    TemplateEvent::TemplateAnalyzed { template_id: SUNSET, analysis: analysis(), analyzed_at: minute(2) }
}

fn record_failure(retry: bool) -> TemplateCommand {
    TemplateCommand::RecordFailure {
        reason: "no answer".to_owned(),
        retry_at: retry.then(|| minute(2 + RETRY_AFTER_MINUTES)),
        at: minute(2),
    }
}

fn failed(attempt: u32, retry: bool) -> TemplateEvent {
    TemplateEvent::TemplateAnalysisFailed {
        template_id: SUNSET,
        attempt,
        reason: "no answer".to_owned(),
        retry_at: retry.then(|| minute(2 + RETRY_AFTER_MINUTES)),
        failed_at: minute(2),
    }
}

fn activate() -> TemplateCommand {
    TemplateCommand::Activate { at: minute(5) }
}

fn activated() -> TemplateEvent {
    TemplateEvent::TemplateActivated { activated_at: minute(5) }
}

fn deactivate() -> TemplateCommand {
    TemplateCommand::Deactivate { at: minute(4) }
}

fn deactivated() -> TemplateEvent {
    TemplateEvent::TemplateDeactivated { deactivated_at: minute(4) }
}

#[test]
fn a_template_is_uploaded() {
    given::<Template>(vec![]).when(upload()).then_expect_events(vec![uploaded()]);
}

#[test]
fn uploading_twice_is_refused() {
    given::<Template>(vec![uploaded()]).when(upload()).then_expect_error(TemplateError::AlreadyUploaded);
}

#[test]
fn an_upload_can_be_analysed_at_once_and_the_first_attempt_is_number_one() {
    given::<Template>(vec![uploaded()]).when(start()).then_expect_events(vec![started(1)]);
}

#[test]
fn a_worker_that_takes_over_from_a_dead_one_goes_on_with_the_same_attempt() {
    given::<Template>(vec![uploaded(), started(1)]).when(start()).then_expect_events(vec![]);
}

#[test]
fn what_the_analysis_found_is_recorded() {
    given::<Template>(vec![uploaded(), started(1)])
        .when(record_analysis())
        .then_expect_events(vec![analyzed()]);
}

#[test]
fn a_second_result_of_the_same_analysis_is_refused() {
    given::<Template>(vec![uploaded(), started(1), analyzed()])
        .when(record_analysis())
        .then_expect_error(TemplateError::NoAnalysisUnderWay);
}

#[test]
fn a_failure_that_may_pass_is_followed_by_the_next_attempt() {
    given::<Template>(vec![uploaded(), started(1)])
        .when(record_failure(true))
        .then_expect_events(vec![failed(1, true)]);
    given::<Template>(vec![uploaded(), started(1), failed(1, true)])
        .when(start())
        .then_expect_events(vec![started(2)]);
    given::<Template>(vec![uploaded(), started(1), failed(1, true), started(2)])
        .when(record_failure(true))
        .then_expect_events(vec![failed(2, true)]);
}

#[test]
fn a_failure_for_good_ends_the_analysis() {
    let events = vec![uploaded(), started(1), failed(1, true), started(2)];
    given::<Template>(events.clone()).when(record_failure(false)).then_expect_events(vec![failed(2, false)]);
    given::<Template>([events, vec![failed(2, false)]].concat())
        .when(start())
        .then_expect_error(TemplateError::NoAnalysisUnderWay);
}

#[test]
fn neither_result_nor_failure_is_taken_while_no_attempt_runs() {
    let histories = [
        vec![uploaded()],
        vec![uploaded(), started(1), failed(1, true)],
        vec![uploaded(), started(1), failed(1, false)],
        vec![uploaded(), started(1), analyzed()],
    ];
    for history in histories {
        for command in [record_analysis(), record_failure(true)] {
            given::<Template>(history.clone())
                .when(command)
                .then_expect_error(TemplateError::NoAnalysisUnderWay);
        }
    }
}

#[test]
fn an_analysed_template_is_not_analysed_again_unasked() {
    given::<Template>(vec![uploaded(), started(1), analyzed()])
        .when(start())
        .then_expect_error(TemplateError::NoAnalysisUnderWay);
}

#[test]
fn asked_for_once_more_the_analysis_begins_with_attempt_one() {
    for outcome in [analyzed(), failed(1, false)] {
        let history = vec![uploaded(), started(1), outcome];
        given::<Template>(history.clone())
            .when(request_analysis())
            .then_expect_events(vec![analysis_requested()]);
        given::<Template>([history, vec![analysis_requested()]].concat())
            .when(start())
            .then_expect_events(vec![started(1)]);
    }
}

#[test]
fn asking_twice_for_an_analysis_is_no_error() {
    given::<Template>(vec![uploaded(), analysis_requested()])
        .when(request_analysis())
        .then_expect_events(vec![analysis_requested()]);
}

#[test]
fn an_upload_is_active_until_it_is_deactivated() {
    given::<Template>(vec![uploaded()]).when(activate()).then_expect_events(vec![]);
    given::<Template>(vec![uploaded()]).when(deactivate()).then_expect_events(vec![deactivated()]);
}

#[test]
fn deactivating_twice_changes_nothing() {
    given::<Template>(vec![uploaded(), deactivated()]).when(deactivate()).then_expect_events(vec![]);
}

#[test]
fn a_deactivated_template_can_be_activated_once() {
    given::<Template>(vec![uploaded(), deactivated()]).when(activate()).then_expect_events(vec![activated()]);
    given::<Template>(vec![uploaded(), deactivated(), activated()])
        .when(activate())
        .then_expect_events(vec![]);
}

#[test]
fn what_was_never_uploaded_can_do_nothing() {
    let commands = [
        request_analysis(),
        start(),
        record_analysis(),
        record_failure(true),
        record_failure(false),
        activate(),
        deactivate(),
    ];
    for command in commands {
        given::<Template>(vec![]).when(command).then_expect_error(TemplateError::NotUploaded);
    }
}

#[test]
fn an_embedding_is_stored_as_base64_of_little_endian_f32() {
    let text = serde_json::to_value(Embedding(vec![1.0, -2.0])).unwrap();
    assert_eq!(text, json!("AACAPwAAAMA="));
    let read: Embedding = serde_json::from_value(text).unwrap();
    assert_eq!(read, Embedding(vec![1.0, -2.0]));
    assert_eq!(serde_json::to_value(Embedding(vec![])).unwrap(), json!(""));
}

#[test]
fn an_embedding_that_is_cut_off_or_no_base64_is_not_read() {
    for text in ["AACAPwAAAA==", "AA==", "not base64", "AACAPwAAAMA"] {
        assert!(serde_json::from_value::<Embedding>(json!(text)).is_err(), "{text} was read");
    }
}
