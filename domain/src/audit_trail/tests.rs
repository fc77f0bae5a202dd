//! Given, when, then.

use uuid::Uuid;

use cqrs_es::Aggregate;

use super::*;
use crate::tests::examples::{ALICE, given, minute};

fn retry(at: i64) -> AuditTrailCommand {
    AuditTrailCommand::RetryProjection {
        admin: ALICE,
        projection: "credits".to_owned(),
        parked: 3,
        at: minute(at),
    }
}

fn retried(at: i64) -> AuditTrailEvent {
    AuditTrailEvent::ProjectionRetryRequested {
        admin: ALICE,
        projection: "credits".to_owned(),
        parked: 3,
        requested_at: minute(at),
    }
}

fn again() -> AuditTrailCommand {
    AuditTrailCommand::RetryWork {
        admin: ALICE,
        work_id: Uuid::nil(),
        role: "analysis".to_owned(),
        task: "analyze".to_owned(),
        at: minute(2),
    }
}

fn asked_again() -> AuditTrailEvent {
    AuditTrailEvent::WorkRetryRequested {
        admin: ALICE,
        work_id: Uuid::nil(),
        role: "analysis".to_owned(),
        task: "analyze".to_owned(),
        requested_at: minute(2),
    }
}

#[test]
fn what_an_admin_asked_for_is_written_down_every_time() {
    given::<AuditTrail>(vec![]).when(retry(0)).then_expect_events(vec![retried(0)]);
    given::<AuditTrail>(vec![retried(0)]).when(retry(1)).then_expect_events(vec![retried(1)]);
    given::<AuditTrail>(vec![retried(0)]).when(again()).then_expect_events(vec![asked_again()]);
}

#[test]
fn a_trail_knows_how_many_acts_it_has() {
    let mut trail = AuditTrail::default();
    trail.apply(retried(0));
    trail.apply(asked_again());
    assert_eq!(trail.acts, 2);
}
