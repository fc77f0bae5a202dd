//! Given, when, then.

use serde_json::json;

use super::*;
use crate::tests::examples::{ALICE, FIRST_TRY, ORDER, ROUTIX_V1, SECOND_TRY, SUNSET};
use crate::tests::examples::{given, hers, minute, picture};
use crate::{AttemptId, Credits, MicroUsd, Prompt};

const PRICE: MicroUsd = MicroUsd(40_000);

type Command = GenerationRequestCommand;
type Event = GenerationRequestEvent;

fn job() -> Box<Job> {
    Box::new(Job {
        request_id: ORDER,
        user_id: ALICE,
        conversation_id: None,
        prompt: hers(Prompt::parse("a cat on a volcano").unwrap()),
        custom_text: None,
        algorithm_id: ROUTIX_V1,
        algorithm: "Routix v1".to_owned(),
        provider: "studio".to_owned(),
        config: json!({}),
        credit_cost: Credits(1),
        cost: PRICE,
        face: None,
        logo: None,
        regenerated_from: None,
    })
}

fn intent() -> Intent {
    Intent {
        category: "animals".to_owned(),
        style: "bold".to_owned(),
        mood: "triumphant".to_owned(),
        energy_level: 9,
        visual_elements: vec!["cat".to_owned()],
        headline: "CAT WINS".to_owned(),
    }
}

fn best_match() -> Vec<TemplateMatch> {
    vec![TemplateMatch { template_id: SUNSET, similarity_ppm: 870_000 }]
}

fn request() -> Command {
    Command::Request { job: job(), at: minute(0), deadline_at: minute(10) }
}

fn start_analysis() -> Command {
    Command::StartAnalysis { at: minute(1) }
}

fn record_intent() -> Command {
    Command::RecordIntent { intent: intent(), analyzed_by: "studio".to_owned(), at: minute(2) }
}

fn record_matches() -> Command {
    Command::RecordMatches { matches: best_match(), at: minute(3) }
}

fn record_prompt() -> Command {
    Command::RecordPrompt { prompt: "cat, volcano, warm".to_owned(), at: minute(4) }
}

fn start_attempt(attempt_id: AttemptId) -> Command {
    Command::StartAttempt { attempt_id, provider: "studio".to_owned(), price: PRICE, at: minute(5) }
}

fn end_attempt(attempt_id: AttemptId) -> Command {
    Command::EndAttempt { attempt_id, problem: AttemptProblem::OutcomeUnknown, at: minute(6) }
}

fn complete(attempt_id: AttemptId) -> Command {
    Command::Complete {
        attempt_id,
        image: picture("generations/cat.png"),
        provider_generation_id: "g-1".to_owned(),
        at: minute(7),
    }
}

fn fail() -> Command {
    Command::Fail { reason: FailureReason::TimedOut, at: minute(8) }
}

fn cancel() -> Command {
    Command::Cancel { at: minute(8) }
}

fn requested() -> Event {
    Event::GenerationRequested { job: job(), requested_at: minute(0), deadline_at: minute(10) }
}

fn attempt_started(attempt_id: AttemptId, number: u32) -> Event {
    Event::AttemptStarted {
        request_id: ORDER,
        attempt_id,
        number,
        provider: "studio".to_owned(),
        price: PRICE,
        started_at: minute(5),
    }
}

fn attempt_ended(attempt_id: AttemptId) -> Event {
    Event::AttemptEnded {
        request_id: ORDER,
        attempt_id,
        problem: AttemptProblem::OutcomeUnknown,
        ended_at: minute(6),
    }
}

fn completed(attempt_id: AttemptId, cost: MicroUsd) -> Event {
    Event::GenerationCompleted {
        request_id: ORDER,
        attempt_id,
        image: picture("generations/cat.png"),
        provider_generation_id: "g-1".to_owned(),
        selected_template: Some(SUNSET),
        cost,
        algorithm: "Routix v1".to_owned(),
        processing_time_ms: 7 * 60_000,
        completed_at: minute(7),
    }
}

fn failed(cost: MicroUsd) -> Event {
    Event::GenerationFailed { request_id: ORDER, reason: FailureReason::TimedOut, cost, failed_at: minute(8) }
}

fn cancelled(cost: MicroUsd) -> Event {
    Event::GenerationCancelled { request_id: ORDER, cost, cancelled_at: minute(8) }
}

/// The history of a request with so many of its four steps behind it.
fn steps(done: usize) -> Vec<Event> {
    let history = vec![
        requested(),
        Event::AnalysisStarted { request_id: ORDER, started_at: minute(1) },
        Event::IntentAnalyzed {
            request_id: ORDER,
            intent: hers(intent()),
            analyzed_by: "studio".to_owned(),
            analyzed_at: minute(2),
        },
        Event::TemplatesMatched { request_id: ORDER, matches: best_match(), matched_at: minute(3) },
        Event::PromptComposed {
            request_id: ORDER,
            prompt: hers("cat, volcano, warm".to_owned()),
            composed_at: minute(4),
        },
    ];
    history.into_iter().take(done + 1).collect()
}

fn step_commands() -> [Command; 4] {
    [start_analysis(), record_intent(), record_matches(), record_prompt()]
}

fn attempted(events: &[Event]) -> Vec<Event> {
    [steps(4), events.to_vec()].concat()
}

#[test]
fn a_thumbnail_is_requested_once() {
    given::<GenerationRequest>(vec![]).when(request()).then_expect_events(vec![requested()]);
    given::<GenerationRequest>(vec![requested()])
        .when(request())
        .then_expect_error(GenerationRequestError::AlreadyRequested);
    given::<GenerationRequest>(vec![requested(), cancelled(MicroUsd(0))])
        .when(request())
        .then_expect_error(GenerationRequestError::AlreadyRequested);
}

#[test]
fn each_step_follows_from_the_one_before() {
    for (done, command) in step_commands().into_iter().enumerate() {
        let expected = steps(done + 1).pop().unwrap();
        given::<GenerationRequest>(steps(done)).when(command).then_expect_events(vec![expected]);
    }
}

#[test]
fn a_step_that_is_done_already_changes_nothing() {
    for (step, command) in step_commands().into_iter().enumerate() {
        for done in step + 1..=4 {
            given::<GenerationRequest>(steps(done)).when(command.clone()).then_expect_events(vec![]);
        }
    }
}

#[test]
fn no_step_is_skipped() {
    for (step, command) in step_commands().into_iter().enumerate() {
        for done in 0..step {
            given::<GenerationRequest>(steps(done))
                .when(command.clone())
                .then_expect_error(GenerationRequestError::OutOfOrder);
        }
    }
}

#[test]
fn no_provider_is_called_before_the_prompt_is_composed() {
    for done in 0..4 {
        for command in [start_attempt(FIRST_TRY), end_attempt(FIRST_TRY), complete(FIRST_TRY)] {
            given::<GenerationRequest>(steps(done))
                .when(command)
                .then_expect_error(GenerationRequestError::OutOfOrder);
        }
    }
}

#[test]
fn an_attempt_is_recorded_before_the_call() {
    given::<GenerationRequest>(steps(4))
        .when(start_attempt(FIRST_TRY))
        .then_expect_events(vec![attempt_started(FIRST_TRY, 1)]);
}

#[test]
fn the_same_attempt_started_again_changes_nothing() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(start_attempt(FIRST_TRY))
        .then_expect_events(vec![]);
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1), attempt_ended(FIRST_TRY)]))
        .when(start_attempt(FIRST_TRY))
        .then_expect_events(vec![]);
}

#[test]
fn a_provider_is_never_paid_for_two_attempts_at_once() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(start_attempt(SECOND_TRY))
        .then_expect_error(GenerationRequestError::OutOfOrder);
}

#[test]
fn an_attempt_that_ended_makes_room_for_the_next() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(end_attempt(FIRST_TRY))
        .then_expect_events(vec![attempt_ended(FIRST_TRY)]);
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1), attempt_ended(FIRST_TRY)]))
        .when(start_attempt(SECOND_TRY))
        .then_expect_events(vec![attempt_started(SECOND_TRY, 2)]);
}

#[test]
fn ending_an_attempt_that_is_not_open_changes_nothing() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1), attempt_ended(FIRST_TRY)]))
        .when(end_attempt(FIRST_TRY))
        .then_expect_events(vec![]);
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(end_attempt(SECOND_TRY))
        .then_expect_events(vec![]);
}

#[test]
fn a_picture_completes_the_request_with_its_cost_time_and_best_template() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(complete(FIRST_TRY))
        .then_expect_events(vec![completed(FIRST_TRY, PRICE)]);
}

#[test]
fn an_attempt_with_an_unknown_outcome_counts_as_paid() {
    let history = [attempt_started(FIRST_TRY, 1), attempt_ended(FIRST_TRY), attempt_started(SECOND_TRY, 2)];
    let both = MicroUsd(2 * PRICE.0);
    given::<GenerationRequest>(attempted(&history))
        .when(complete(SECOND_TRY))
        .then_expect_events(vec![completed(SECOND_TRY, both)]);
    given::<GenerationRequest>(attempted(&history)).when(fail()).then_expect_events(vec![failed(both)]);
    given::<GenerationRequest>(attempted(&history)).when(cancel()).then_expect_events(vec![cancelled(both)]);
}

#[test]
fn the_picture_of_an_attempt_given_up_too_early_still_completes_the_request() {
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1), attempt_ended(FIRST_TRY)]))
        .when(complete(FIRST_TRY))
        .then_expect_events(vec![completed(FIRST_TRY, PRICE)]);
}

#[test]
fn a_picture_without_a_recorded_attempt_is_refused() {
    given::<GenerationRequest>(steps(4))
        .when(complete(FIRST_TRY))
        .then_expect_error(GenerationRequestError::OutOfOrder);
    given::<GenerationRequest>(attempted(&[attempt_started(FIRST_TRY, 1)]))
        .when(complete(SECOND_TRY))
        .then_expect_error(GenerationRequestError::OutOfOrder);
}

#[test]
fn a_request_can_fail_or_be_cancelled_at_every_step() {
    for done in 0..=4 {
        given::<GenerationRequest>(steps(done)).when(fail()).then_expect_events(vec![failed(MicroUsd(0))]);
        given::<GenerationRequest>(steps(done))
            .when(cancel())
            .then_expect_events(vec![cancelled(MicroUsd(0))]);
    }
}

#[test]
fn cancelling_twice_changes_nothing() {
    given::<GenerationRequest>(vec![requested(), cancelled(MicroUsd(0))])
        .when(cancel())
        .then_expect_events(vec![]);
}

#[test]
fn nothing_leaves_a_final_stage() {
    let done = attempted(&[attempt_started(FIRST_TRY, 1), completed(FIRST_TRY, PRICE)]);
    let ends = [done, vec![requested(), failed(MicroUsd(0))], vec![requested(), cancelled(MicroUsd(0))]];
    for (end, history) in ends.into_iter().enumerate() {
        let mut commands = step_commands().to_vec();
        commands.extend([start_attempt(SECOND_TRY), end_attempt(FIRST_TRY), complete(FIRST_TRY), fail()]);
        if end < 2 {
            commands.push(cancel());
        }
        for command in commands {
            given::<GenerationRequest>(history.clone())
                .when(command)
                .then_expect_error(GenerationRequestError::Ended);
        }
    }
}

#[test]
fn what_was_never_requested_can_do_nothing() {
    let mut commands = step_commands().to_vec();
    commands.extend([
        start_attempt(FIRST_TRY),
        end_attempt(FIRST_TRY),
        complete(FIRST_TRY),
        fail(),
        cancel(),
    ]);
    for command in commands {
        given::<GenerationRequest>(vec![])
            .when(command)
            .then_expect_error(GenerationRequestError::NotRequested);
    }
}

#[test]
fn only_rejected_content_is_not_worth_another_try() {
    assert!(!FailureReason::ContentRejected.retry_possible());
    for reason in [FailureReason::ProviderUnavailable, FailureReason::TimedOut, FailureReason::Internal] {
        assert!(reason.retry_possible());
    }
}

/// Stored in rows, sent in problems, read by clients.
#[test]
fn every_reason_of_a_failure_has_its_word() {
    let words = [
        (FailureReason::ContentRejected, "content_rejected"),
        (FailureReason::ProviderUnavailable, "provider_unavailable"),
        (FailureReason::TimedOut, "timed_out"),
        (FailureReason::Internal, "internal"),
    ];
    assert_eq!(FailureReason::ALL.len(), words.len());
    for (reason, word) in words {
        assert_eq!(reason.name(), word);
        assert_eq!(FailureReason::parse(word), Some(reason));
    }
}

#[test]
fn a_request_keeps_its_order_to_the_end() {
    use cqrs_es::Aggregate;
    let mut request = GenerationRequest::default();
    assert_eq!(request.job(), None);
    let ends = [completed(FIRST_TRY, PRICE), failed(MicroUsd(0)), cancelled(MicroUsd(0))];
    for end in ends {
        for event in [requested(), end] {
            request.apply(event);
            assert_eq!(request.job(), Some(&*job()));
        }
    }
}
