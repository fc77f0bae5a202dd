//! Given, when, then.

use super::*;
use crate::tests::examples::{ALICE, LOGIN, given, minute};

const LIFE_MINUTES: i64 = 60;

fn token(name: &str) -> TokenHash {
    TokenHash(name.to_owned())
}

fn start() -> SessionCommand {
    SessionCommand::Start {
        session_id: LOGIN,
        user_id: ALICE,
        token: token("first"),
        at: minute(0),
        expires_at: minute(LIFE_MINUTES),
    }
}

fn started() -> SessionEvent {
    SessionEvent::SessionStarted {
        session_id: LOGIN,
        user_id: ALICE,
        token: token("first"),
        started_at: minute(0),
        expires_at: minute(LIFE_MINUTES),
    }
}

fn refresh(presented: &str, at: i64) -> SessionCommand {
    SessionCommand::Refresh {
        presented: token(presented),
        next: token("second"),
        at: minute(at),
        expires_at: minute(at + LIFE_MINUTES),
    }
}

fn refreshed(at: i64) -> SessionEvent {
    SessionEvent::SessionRefreshed {
        user_id: ALICE,
        token: token("second"),
        refreshed_at: minute(at),
        expires_at: minute(at + LIFE_MINUTES),
    }
}

fn log_out(at: i64) -> SessionCommand {
    SessionCommand::LogOut { at: minute(at) }
}

fn ended(reason: EndReason, at: i64) -> SessionEvent {
    SessionEvent::SessionEnded { session_id: LOGIN, user_id: ALICE, reason, ended_at: minute(at) }
}

#[test]
fn a_login_starts_a_session() {
    given::<Session>(vec![]).when(start()).then_expect_events(vec![started()]);
}

#[test]
fn a_session_starts_once() {
    given::<Session>(vec![started()]).when(start()).then_expect_error(SessionError::AlreadyStarted);
    given::<Session>(vec![started(), ended(EndReason::LoggedOut, 1)])
        .when(start())
        .then_expect_error(SessionError::AlreadyStarted);
}

#[test]
fn the_newest_token_is_exchanged_for_a_newer_one() {
    given::<Session>(vec![started()]).when(refresh("first", 10)).then_expect_events(vec![refreshed(10)]);
}

#[test]
fn a_refresh_prolongs_the_session_beyond_its_first_end() {
    given::<Session>(vec![started(), refreshed(50)])
        .when(refresh("second", LIFE_MINUTES + 10))
        .then_expect_events(vec![refreshed(LIFE_MINUTES + 10)]);
}

#[test]
fn a_token_that_was_used_before_ends_the_whole_family_and_that_is_recorded() {
    given::<Session>(vec![started(), refreshed(10)])
        .when(refresh("first", 11))
        .then_expect_events(vec![ended(EndReason::TokenReused, 11)]);
}

#[test]
fn after_a_reuse_even_the_newest_token_is_refused() {
    given::<Session>(vec![started(), refreshed(10), ended(EndReason::TokenReused, 11)])
        .when(refresh("second", 12))
        .then_expect_error(SessionError::Ended);
}

#[test]
fn a_session_can_be_refreshed_until_the_moment_it_expires() {
    let last = minute(LIFE_MINUTES) - chrono::Duration::microseconds(1);
    let command = SessionCommand::Refresh {
        presented: token("first"),
        next: token("second"),
        at: last,
        expires_at: minute(2 * LIFE_MINUTES),
    };
    assert_eq!(given::<Session>(vec![started()]).when(command).inspect_result().unwrap().len(), 1);
    given::<Session>(vec![started()])
        .when(refresh("first", LIFE_MINUTES))
        .then_expect_error(SessionError::Expired);
}

#[test]
fn an_old_token_of_an_expired_session_is_refused_without_an_event() {
    given::<Session>(vec![started(), refreshed(0)])
        .when(refresh("first", LIFE_MINUTES))
        .then_expect_error(SessionError::Expired);
}

#[test]
fn logging_out_ends_the_session() {
    given::<Session>(vec![started()])
        .when(log_out(5))
        .then_expect_events(vec![ended(EndReason::LoggedOut, 5)]);
}

#[test]
fn an_expired_session_can_still_be_logged_out() {
    given::<Session>(vec![started()])
        .when(log_out(2 * LIFE_MINUTES))
        .then_expect_events(vec![ended(EndReason::LoggedOut, 2 * LIFE_MINUTES)]);
}

#[test]
fn logging_out_twice_changes_nothing() {
    given::<Session>(vec![started(), ended(EndReason::LoggedOut, 5)])
        .when(log_out(6))
        .then_expect_events(vec![]);
}

#[test]
fn a_session_that_was_logged_out_cannot_be_refreshed() {
    given::<Session>(vec![started(), ended(EndReason::LoggedOut, 5)])
        .when(refresh("first", 6))
        .then_expect_error(SessionError::Ended);
}

#[test]
fn a_session_that_never_started_can_do_nothing() {
    given::<Session>(vec![]).when(refresh("first", 1)).then_expect_error(SessionError::NotStarted);
    given::<Session>(vec![]).when(log_out(1)).then_expect_error(SessionError::NotStarted);
}

#[test]
fn a_session_is_open_from_its_start_to_its_expiry() {
    use cqrs_es::Aggregate;
    let mut session = Session::default();
    assert!(!session.is_open(minute(0)));
    session.apply(started());
    assert!(session.is_open(minute(LIFE_MINUTES - 1)));
    assert!(!session.is_open(minute(LIFE_MINUTES)));
    session.apply(ended(EndReason::LoggedOut, 5));
    assert!(!session.is_open(minute(6)));
}
