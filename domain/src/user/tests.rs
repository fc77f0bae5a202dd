//! Given, when, then.

use cqrs_es::Aggregate;

use super::*;
use crate::tests::examples::{ALICE, given, hers, minute};
use crate::{EmailAddress, Username};

fn email() -> EmailAddress {
    EmailAddress::parse("alice@example.com").unwrap()
}

fn username() -> Username {
    Username::parse("Alice").unwrap()
}

fn register() -> UserCommand {
    UserCommand::Register {
        user_id: ALICE,
        email: email(),
        username: username(),
        password_hash: "hash 1".to_owned(),
        role: Role::User,
        at: minute(0),
    }
}

fn registered() -> UserEvent {
    UserEvent::UserRegistered {
        user_id: ALICE,
        email: hers(email()),
        username: hers(username()),
        password_hash: hers("hash 1".to_owned()),
        role: Role::User,
        registered_at: minute(0),
    }
}

fn change_password() -> UserCommand {
    UserCommand::ChangePassword { password_hash: "hash 2".to_owned(), at: minute(1) }
}

fn password_changed() -> UserEvent {
    UserEvent::PasswordChanged { password_hash: hers("hash 2".to_owned()), changed_at: minute(1) }
}

fn deactivate() -> UserCommand {
    UserCommand::Deactivate { reason: "spam".to_owned(), at: minute(2) }
}

fn deactivated() -> UserEvent {
    UserEvent::UserDeactivated { reason: "spam".to_owned(), deactivated_at: minute(2) }
}

fn reactivate() -> UserCommand {
    UserCommand::Reactivate { at: minute(3) }
}

fn reactivated() -> UserEvent {
    UserEvent::UserReactivated { reactivated_at: minute(3) }
}

#[test]
fn somebody_new_registers_and_what_identifies_them_is_theirs() {
    given::<User>(vec![]).when(register()).then_expect_events(vec![registered()]);
}

#[test]
fn an_admin_registers_as_an_admin() {
    let UserCommand::Register { user_id, email, username, password_hash, at, .. } = register() else {
        unreachable!()
    };
    let command = UserCommand::Register { user_id, email, username, password_hash, role: Role::Admin, at };
    let events = given::<User>(vec![]).when(command).inspect_result().unwrap();
    assert!(matches!(events.as_slice(), [UserEvent::UserRegistered { role: Role::Admin, .. }]));
}

#[test]
fn registering_twice_is_refused() {
    given::<User>(vec![registered()]).when(register()).then_expect_error(UserError::AlreadyRegistered);
}

#[test]
fn a_deactivated_account_cannot_be_registered_anew() {
    given::<User>(vec![registered(), deactivated()])
        .when(register())
        .then_expect_error(UserError::AlreadyRegistered);
}

#[test]
fn a_password_can_be_changed_and_the_hash_is_the_persons() {
    given::<User>(vec![registered()]).when(change_password()).then_expect_events(vec![password_changed()]);
}

#[test]
fn a_password_can_be_changed_again() {
    given::<User>(vec![registered(), password_changed()])
        .when(change_password())
        .then_expect_events(vec![password_changed()]);
}

#[test]
fn the_hash_of_a_password_is_raised_where_it_is_still_the_one_that_was_verified() {
    let raise = |instead_of: &str| UserCommand::RaisePasswordHash {
        instead_of: instead_of.to_owned(),
        password_hash: "hash 3".to_owned(),
        at: minute(2),
    };
    let raised =
        UserEvent::PasswordHashRaised { password_hash: hers("hash 3".to_owned()), raised_at: minute(2) };
    given::<User>(vec![registered()]).when(raise("hash 1")).then_expect_events(vec![raised.clone()]);
    given::<User>(vec![registered(), password_changed()]).when(raise("hash 1")).then_expect_events(vec![]);
    given::<User>(vec![registered(), deactivated()])
        .when(raise("hash 1"))
        .then_expect_error(UserError::Deactivated);
    let mut user = User::default();
    for event in [registered(), raised] {
        user.apply(event);
    }
    assert_eq!(user.profile().unwrap().password_hash, hers("hash 3".to_owned()));
}

#[test]
fn after_a_change_the_old_password_is_worth_nothing() {
    let mut user = User::default();
    for event in [registered(), password_changed()] {
        user.apply(event);
    }
    assert_eq!(user.profile().unwrap().password_hash, hers("hash 2".to_owned()));
    user.apply(deactivated());
    user.apply(reactivated());
    assert_eq!(user.profile().unwrap().password_hash, hers("hash 2".to_owned()));
}

#[test]
fn a_deactivated_account_keeps_its_password() {
    given::<User>(vec![registered(), deactivated()])
        .when(change_password())
        .then_expect_error(UserError::Deactivated);
}

#[test]
fn an_account_can_be_deactivated_with_a_reason() {
    given::<User>(vec![registered()]).when(deactivate()).then_expect_events(vec![deactivated()]);
}

#[test]
fn deactivating_twice_changes_nothing() {
    given::<User>(vec![registered(), deactivated()]).when(deactivate()).then_expect_events(vec![]);
}

#[test]
fn a_deactivated_account_can_be_reactivated() {
    given::<User>(vec![registered(), deactivated()])
        .when(reactivate())
        .then_expect_events(vec![reactivated()]);
}

#[test]
fn reactivating_an_active_account_changes_nothing() {
    given::<User>(vec![registered()]).when(reactivate()).then_expect_events(vec![]);
}

#[test]
fn a_reactivated_account_may_change_its_password_again() {
    given::<User>(vec![registered(), deactivated(), reactivated()])
        .when(change_password())
        .then_expect_events(vec![password_changed()]);
}

#[test]
fn nobody_can_do_anything_before_they_registered() {
    for command in [change_password(), deactivate(), reactivate()] {
        given::<User>(vec![]).when(command).then_expect_error(UserError::NotRegistered);
    }
}

fn erase() -> UserCommand {
    UserCommand::Erase { asked_by: AskedBy::Operator, at: minute(4) }
}

fn erased() -> UserEvent {
    UserEvent::PersonErased { user_id: ALICE, asked_by: AskedBy::Operator, erased_at: minute(4) }
}

#[test]
fn a_person_can_be_erased_whether_the_account_is_active_or_not() {
    given::<User>(vec![registered()]).when(erase()).then_expect_events(vec![erased()]);
    given::<User>(vec![registered(), deactivated()]).when(erase()).then_expect_events(vec![erased()]);
}

#[test]
fn erasing_twice_changes_nothing() {
    given::<User>(vec![registered(), erased()]).when(erase()).then_expect_events(vec![]);
}

#[test]
fn nothing_can_be_asked_of_an_erased_account() {
    for command in [change_password(), deactivate(), reactivate()] {
        given::<User>(vec![registered(), erased()]).when(command).then_expect_error(UserError::Erased);
    }
    given::<User>(vec![registered(), erased()])
        .when(register())
        .then_expect_error(UserError::AlreadyRegistered);
}

#[test]
fn nobody_who_never_registered_can_be_erased() {
    given::<User>(vec![]).when(erase()).then_expect_error(UserError::NotRegistered);
}
