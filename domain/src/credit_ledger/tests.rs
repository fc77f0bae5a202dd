//! Given, when, then.

use super::*;
use crate::tests::examples::{ALICE, ORDER, OTHER_ORDER, SIGNUP, TOP_UP, given, minute};
use crate::{Credits, GrantId, RequestId};

type Command = CreditLedgerCommand;
type Event = CreditLedgerEvent;

const LOW: Credits = Credits(3);
/// When the sign-up credits of these examples end.
const END: i64 = 100;

fn grant(grant_id: GrantId, amount: u32, end: Option<i64>, at: i64) -> Command {
    Command::Grant {
        user_id: ALICE,
        grant_id,
        amount: Credits(amount),
        reason: GrantReason::TopUp,
        expires_at: end.map(minute),
        at: minute(at),
    }
}

fn granted(grant_id: GrantId, amount: u32, end: Option<i64>, balance: u32) -> Event {
    Event::CreditsGranted {
        user_id: ALICE,
        grant_id,
        amount: Credits(amount),
        reason: GrantReason::TopUp,
        expires_at: end.map(minute),
        balance_after: Credits(balance),
        granted_at: minute(0),
    }
}

fn part(grant_id: GrantId, amount: u32, end: Option<i64>) -> Part {
    Part { grant_id, amount: Credits(amount), expires_at: end.map(minute) }
}

fn hold(request_id: RequestId, amount: u32) -> Command {
    Command::Hold { user_id: ALICE, request_id, amount: Credits(amount), low_threshold: LOW, at: minute(1) }
}

fn held(request_id: RequestId, parts: Vec<Part>, balance: u32, crossed: bool) -> Event {
    Event::CreditsHeld {
        user_id: ALICE,
        request_id,
        amount: parts.iter().map(|part| part.amount).sum(),
        parts,
        balance_after: Credits(balance),
        crossed_low: crossed.then_some(LOW),
        held_at: minute(1),
    }
}

fn settle() -> Command {
    Command::Settle { user_id: ALICE, request_id: ORDER, at: minute(2) }
}

fn settled(amount: u32, balance: u32) -> Event {
    Event::HoldSettled {
        user_id: ALICE,
        request_id: ORDER,
        amount: Credits(amount),
        balance_after: Credits(balance),
        settled_at: minute(2),
    }
}

fn release(at: i64) -> Command {
    Command::Release { user_id: ALICE, request_id: ORDER, at: minute(at) }
}

fn released(parts: Vec<Part>, balance: u32, at: i64) -> Event {
    Event::HoldReleased {
        user_id: ALICE,
        request_id: ORDER,
        amount: parts.iter().map(|part| part.amount).sum(),
        parts,
        balance_after: Credits(balance),
        released_at: minute(at),
    }
}

fn withdraw(amount: u32) -> Command {
    Command::Withdraw {
        user_id: ALICE,
        amount: Credits(amount),
        note: "chargeback".to_owned(),
        at: minute(1),
    }
}

fn withdrawn(parts: Vec<Part>, balance: u32) -> Event {
    Event::CreditsWithdrawn {
        user_id: ALICE,
        amount: parts.iter().map(|part| part.amount).sum(),
        parts,
        note: "chargeback".to_owned(),
        balance_after: Credits(balance),
        withdrawn_at: minute(1),
    }
}

fn expire(at: i64) -> Command {
    Command::Expire { user_id: ALICE, at: minute(at) }
}

fn expired(grant_id: GrantId, amount: u32, balance: u32, at: i64) -> Event {
    Event::CreditsExpired {
        user_id: ALICE,
        grant_id,
        amount: Credits(amount),
        balance_after: Credits(balance),
        expired_at: minute(at),
    }
}

/// Ten credits that never end.
fn ten() -> Vec<Event> {
    vec![granted(TOP_UP, 10, None, 10)]
}

/// Ten credits, four of which are held for an order.
fn ten_with_four_held() -> Vec<Event> {
    [ten(), vec![held(ORDER, vec![part(TOP_UP, 4, None)], 6, false)]].concat()
}

#[test]
fn granted_credits_are_available() {
    given::<CreditLedger>(vec![])
        .when(grant(TOP_UP, 10, None, 0))
        .then_expect_events(vec![granted(TOP_UP, 10, None, 10)]);
    given::<CreditLedger>(ten()).when(grant(SIGNUP, 5, Some(END), 0)).then_expect_events(vec![granted(
        SIGNUP,
        5,
        Some(END),
        15,
    )]);
}

#[test]
fn an_amount_of_nothing_is_neither_granted_nor_withdrawn() {
    given::<CreditLedger>(vec![])
        .when(grant(TOP_UP, 0, None, 0))
        .then_expect_error(CreditLedgerError::NothingToDo);
    given::<CreditLedger>(ten()).when(withdraw(0)).then_expect_error(CreditLedgerError::NothingToDo);
}

#[test]
fn a_grant_that_has_ended_already_expires_at_once() {
    given::<CreditLedger>(ten())
        .when(grant(SIGNUP, 5, Some(0), 0))
        .then_expect_events(vec![granted(SIGNUP, 5, Some(0), 15), expired(SIGNUP, 5, 10, 0)]);
}

#[test]
fn a_hold_sets_credits_aside() {
    given::<CreditLedger>(ten()).when(hold(ORDER, 4)).then_expect_events(vec![held(
        ORDER,
        vec![part(TOP_UP, 4, None)],
        6,
        false,
    )]);
}

#[test]
fn the_last_credit_can_be_held_and_not_one_more() {
    given::<CreditLedger>(ten()).when(hold(ORDER, 10)).then_expect_events(vec![held(
        ORDER,
        vec![part(TOP_UP, 10, None)],
        0,
        true,
    )]);
    given::<CreditLedger>(ten()).when(hold(ORDER, 11)).then_expect_error(
        CreditLedgerError::InsufficientCredits { required: Credits(11), available: Credits(10) },
    );
}

#[test]
fn what_one_order_holds_is_not_available_to_another() {
    given::<CreditLedger>(ten_with_four_held()).when(hold(OTHER_ORDER, 7)).then_expect_error(
        CreditLedgerError::InsufficientCredits { required: Credits(7), available: Credits(6) },
    );
}

#[test]
fn an_order_holds_once() {
    given::<CreditLedger>(ten_with_four_held())
        .when(hold(ORDER, 4))
        .then_expect_error(CreditLedgerError::AlreadyHeld { request_id: ORDER });
}

#[test]
fn a_hold_draws_first_on_what_ends_first() {
    let history = [ten(), vec![granted(SIGNUP, 5, Some(END), 15)]].concat();
    given::<CreditLedger>(history).when(hold(ORDER, 7)).then_expect_events(vec![held(
        ORDER,
        vec![part(SIGNUP, 5, Some(END)), part(TOP_UP, 2, None)],
        8,
        false,
    )]);
}

#[test]
fn crossing_the_low_threshold_is_told_once() {
    given::<CreditLedger>(ten()).when(hold(ORDER, 7)).then_expect_events(vec![held(
        ORDER,
        vec![part(TOP_UP, 7, None)],
        3,
        false,
    )]);
    given::<CreditLedger>(ten()).when(hold(ORDER, 8)).then_expect_events(vec![held(
        ORDER,
        vec![part(TOP_UP, 8, None)],
        2,
        true,
    )]);
    given::<CreditLedger>([ten(), vec![held(ORDER, vec![part(TOP_UP, 8, None)], 2, true)]].concat())
        .when(hold(OTHER_ORDER, 1))
        .then_expect_events(vec![held(OTHER_ORDER, vec![part(TOP_UP, 1, None)], 1, false)]);
}

#[test]
fn settling_spends_what_was_held() {
    given::<CreditLedger>(ten_with_four_held()).when(settle()).then_expect_events(vec![settled(4, 6)]);
}

#[test]
fn a_hold_ends_once() {
    let ends = [settled(4, 6), released(vec![part(TOP_UP, 4, None)], 10, 2)];
    for end in ends {
        for command in [settle(), release(3)] {
            given::<CreditLedger>([ten_with_four_held(), vec![end.clone()]].concat())
                .when(command)
                .then_expect_error(CreditLedgerError::NoSuchHold { request_id: ORDER });
        }
    }
}

#[test]
fn an_order_without_a_hold_is_neither_settled_nor_released() {
    for command in [settle(), release(2)] {
        given::<CreditLedger>(ten())
            .when(command)
            .then_expect_error(CreditLedgerError::NoSuchHold { request_id: ORDER });
    }
}

#[test]
fn a_release_returns_to_the_grants_it_came_from() {
    let parts = vec![part(SIGNUP, 5, Some(END)), part(TOP_UP, 2, None)];
    let history = vec![
        granted(TOP_UP, 10, None, 10),
        granted(SIGNUP, 5, Some(END), 15),
        held(ORDER, parts.clone(), 8, false),
    ];
    given::<CreditLedger>(history.clone()).when(release(2)).then_expect_events(vec![released(
        parts.clone(),
        15,
        2,
    )]);
    let back = [history, vec![released(parts, 15, 2)]].concat();
    given::<CreditLedger>(back).when(expire(END)).then_expect_events(vec![expired(SIGNUP, 5, 10, END)]);
}

#[test]
fn what_ended_while_it_was_held_expires_when_it_is_released() {
    let history = vec![
        granted(SIGNUP, 5, Some(END), 5),
        held(ORDER, vec![part(SIGNUP, 3, Some(END))], 2, true),
        expired(SIGNUP, 2, 0, END),
    ];
    given::<CreditLedger>(history).when(release(END + 1)).then_expect_events(vec![
        released(vec![part(SIGNUP, 3, Some(END))], 3, END + 1),
        expired(SIGNUP, 3, 0, END + 1),
    ]);
}

#[test]
fn what_ended_while_it_was_held_can_still_be_settled() {
    let history = vec![granted(SIGNUP, 5, Some(1), 5), held(ORDER, vec![part(SIGNUP, 5, Some(1))], 0, true)];
    given::<CreditLedger>(history).when(settle()).then_expect_events(vec![settled(5, 0)]);
}

#[test]
fn what_ended_is_written_off_before_anything_else_is_decided() {
    let history = vec![granted(SIGNUP, 5, Some(1), 5), granted(TOP_UP, 10, None, 15)];
    given::<CreditLedger>(history.clone()).when(hold(ORDER, 4)).then_expect_events(vec![
        expired(SIGNUP, 5, 10, 1),
        held(ORDER, vec![part(TOP_UP, 4, None)], 6, false),
    ]);
    given::<CreditLedger>(history).when(hold(ORDER, 11)).then_expect_error(
        CreditLedgerError::InsufficientCredits { required: Credits(11), available: Credits(10) },
    );
}

#[test]
fn credits_end_at_their_end_and_not_before() {
    let history = vec![granted(SIGNUP, 5, Some(END), 5)];
    given::<CreditLedger>(history.clone()).when(expire(END - 1)).then_expect_events(vec![]);
    given::<CreditLedger>(history.clone())
        .when(expire(END))
        .then_expect_events(vec![expired(SIGNUP, 5, 0, END)]);
    given::<CreditLedger>([history, vec![expired(SIGNUP, 5, 0, END)]].concat())
        .when(expire(END + 1))
        .then_expect_events(vec![]);
}

#[test]
fn several_grants_that_end_together_leave_a_balance_each() {
    let history = vec![
        granted(SIGNUP, 5, Some(END), 5),
        granted(TOP_UP, 2, Some(END - 1), 7),
        granted(GrantId(ORDER.0), 1, None, 8),
    ];
    given::<CreditLedger>(history)
        .when(expire(END))
        .then_expect_events(vec![expired(TOP_UP, 2, 6, END), expired(SIGNUP, 5, 1, END)]);
}

#[test]
fn nothing_expires_in_an_empty_ledger() {
    given::<CreditLedger>(vec![]).when(expire(END)).then_expect_events(vec![]);
}

#[test]
fn an_admin_can_withdraw_what_is_available() {
    given::<CreditLedger>(ten())
        .when(withdraw(10))
        .then_expect_events(vec![withdrawn(vec![part(TOP_UP, 10, None)], 0)]);
}

#[test]
fn nothing_is_withdrawn_below_zero_nor_from_what_is_held() {
    given::<CreditLedger>(vec![]).when(withdraw(1)).then_expect_error(
        CreditLedgerError::InsufficientCredits { required: Credits(1), available: Credits(0) },
    );
    given::<CreditLedger>(ten_with_four_held()).when(withdraw(7)).then_expect_error(
        CreditLedgerError::InsufficientCredits { required: Credits(7), available: Credits(6) },
    );
}

#[test]
fn withdrawn_credits_are_gone() {
    given::<CreditLedger>([ten(), vec![withdrawn(vec![part(TOP_UP, 4, None)], 6)]].concat())
        .when(hold(ORDER, 7))
        .then_expect_error(CreditLedgerError::InsufficientCredits {
            required: Credits(7),
            available: Credits(6),
        });
}

#[test]
fn a_hold_has_no_part_of_a_grant_that_it_does_not_need() {
    given::<CreditLedger>(vec![granted(SIGNUP, 5, Some(END), 5), granted(TOP_UP, 5, None, 10)])
        .when(hold(ORDER, 3))
        .then_expect_events(vec![held(ORDER, vec![part(SIGNUP, 3, Some(END))], 7, false)]);
}
