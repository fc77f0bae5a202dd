//! Given, when, then.

use serde_json::json;

use super::*;
use crate::tests::examples::{ROUTIX_V1, given, minute};
use crate::{Credits, MicroUsd, Slug};

fn definition() -> Definition {
    Definition {
        algorithm_id: ROUTIX_V1,
        slug: Slug::parse("routix_v1").unwrap(),
        display_name: "Routix v1".to_owned(),
        provider: "studio".to_owned(),
        config: json!({ "quality": "high" }),
        credit_cost: Credits(1),
        cost: MicroUsd(40_000),
    }
}

fn define() -> AlgorithmCommand {
    AlgorithmCommand::Define { definition: definition(), at: minute(0) }
}

fn defined() -> AlgorithmEvent {
    AlgorithmEvent::AlgorithmDefined { definition: definition(), defined_at: minute(0) }
}

fn reprice(credits: u32, cost: i64) -> AlgorithmCommand {
    AlgorithmCommand::Reprice { credit_cost: Credits(credits), cost: MicroUsd(cost), at: minute(1) }
}

fn repriced(credits: u32, cost: i64) -> AlgorithmEvent {
    AlgorithmEvent::AlgorithmRepriced {
        credit_cost: Credits(credits),
        cost: MicroUsd(cost),
        repriced_at: minute(1),
    }
}

fn activate() -> AlgorithmCommand {
    AlgorithmCommand::Activate { at: minute(3) }
}

fn activated() -> AlgorithmEvent {
    AlgorithmEvent::AlgorithmActivated { activated_at: minute(3) }
}

fn deactivate() -> AlgorithmCommand {
    AlgorithmCommand::Deactivate { at: minute(2) }
}

fn deactivated() -> AlgorithmEvent {
    AlgorithmEvent::AlgorithmDeactivated { algorithm_id: ROUTIX_V1, deactivated_at: minute(2) }
}

fn make_default() -> AlgorithmCommand {
    AlgorithmCommand::MakeDefault { at: minute(4) }
}

fn made_default() -> AlgorithmEvent {
    AlgorithmEvent::AlgorithmMadeDefault { algorithm_id: ROUTIX_V1, made_default_at: minute(4) }
}

#[test]
fn an_algorithm_is_defined() {
    given::<Algorithm>(vec![]).when(define()).then_expect_events(vec![defined()]);
}

#[test]
fn defining_it_twice_is_refused_also_while_it_is_inactive() {
    given::<Algorithm>(vec![defined()]).when(define()).then_expect_error(AlgorithmError::AlreadyDefined);
    given::<Algorithm>(vec![defined(), deactivated()])
        .when(define())
        .then_expect_error(AlgorithmError::AlreadyDefined);
}

#[test]
fn a_new_price_in_credits_or_in_money_is_recorded() {
    given::<Algorithm>(vec![defined()])
        .when(reprice(2, 40_000))
        .then_expect_events(vec![repriced(2, 40_000)]);
    given::<Algorithm>(vec![defined()])
        .when(reprice(1, 50_000))
        .then_expect_events(vec![repriced(1, 50_000)]);
}

#[test]
fn the_price_it_has_already_changes_nothing() {
    given::<Algorithm>(vec![defined()]).when(reprice(1, 40_000)).then_expect_events(vec![]);
    given::<Algorithm>(vec![defined(), repriced(2, 50_000)])
        .when(reprice(2, 50_000))
        .then_expect_events(vec![]);
}

#[test]
fn an_inactive_algorithm_can_be_repriced_and_keeps_the_price_when_it_returns() {
    given::<Algorithm>(vec![defined(), deactivated()])
        .when(reprice(2, 50_000))
        .then_expect_events(vec![repriced(2, 50_000)]);
    given::<Algorithm>(vec![defined(), deactivated(), repriced(2, 50_000), activated()])
        .when(reprice(2, 50_000))
        .then_expect_events(vec![]);
}

#[test]
fn an_active_algorithm_can_be_deactivated() {
    given::<Algorithm>(vec![defined()]).when(deactivate()).then_expect_events(vec![deactivated()]);
}

#[test]
fn deactivating_twice_changes_nothing() {
    given::<Algorithm>(vec![defined(), deactivated()]).when(deactivate()).then_expect_events(vec![]);
}

#[test]
fn an_inactive_algorithm_can_be_activated() {
    given::<Algorithm>(vec![defined(), deactivated()]).when(activate()).then_expect_events(vec![activated()]);
}

#[test]
fn activating_an_active_algorithm_changes_nothing() {
    given::<Algorithm>(vec![defined()]).when(activate()).then_expect_events(vec![]);
}

#[test]
fn an_algorithm_that_was_activated_again_is_active() {
    let back = vec![defined(), deactivated(), activated()];
    given::<Algorithm>(back.clone()).when(activate()).then_expect_events(vec![]);
    given::<Algorithm>(back.clone()).when(deactivate()).then_expect_events(vec![deactivated()]);
    given::<Algorithm>(back).when(make_default()).then_expect_events(vec![made_default()]);
}

#[test]
fn an_active_algorithm_can_be_made_the_default_and_again() {
    given::<Algorithm>(vec![defined()]).when(make_default()).then_expect_events(vec![made_default()]);
    // Another one may have been the default in between, which this aggregate cannot know.
    given::<Algorithm>(vec![defined(), made_default()])
        .when(make_default())
        .then_expect_events(vec![made_default()]);
}

#[test]
fn an_inactive_algorithm_cannot_be_the_default() {
    given::<Algorithm>(vec![defined(), deactivated()])
        .when(make_default())
        .then_expect_error(AlgorithmError::Inactive);
}

#[test]
fn what_was_never_defined_cannot_be_changed() {
    for command in [reprice(2, 2), activate(), deactivate(), make_default()] {
        given::<Algorithm>(vec![]).when(command).then_expect_error(AlgorithmError::NotDefined);
    }
}
