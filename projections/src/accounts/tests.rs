//! The words in the tables are the words of the events.

use domain::session::EndReason;
use domain::user::Role;

use super::apply::{end_reason_name, role_name};

#[test]
fn roles_and_reasons_are_named_as_in_the_log() {
    for role in [Role::User, Role::Admin] {
        assert_eq!(serde_json::to_value(role).unwrap(), role_name(role));
    }
    for reason in [EndReason::LoggedOut, EndReason::TokenReused] {
        assert_eq!(serde_json::to_value(reason).unwrap(), end_reason_name(reason));
    }
}
