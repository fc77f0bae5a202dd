//! What can have happened to an account.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::event_names::event_names;
use crate::{EmailAddress, Personal, Timestamp, UserId, Username};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum UserEvent {
    UserRegistered {
        user_id: UserId,
        email: Personal<EmailAddress>,
        username: Personal<Username>,
        /// An argon2id PHC string.
        password_hash: Personal<String>,
        role: Role,
        registered_at: Timestamp,
    },
    PasswordChanged {
        password_hash: Personal<String>,
        changed_at: Timestamp,
    },
    UserDeactivated {
        reason: String,
        deactivated_at: Timestamp,
    },
    UserReactivated {
        reactivated_at: Timestamp,
    },
}

event_names!(UserEvent {
    UserRegistered => "1.0",
    PasswordChanged => "1.0",
    UserDeactivated => "1.0",
    UserReactivated => "1.0",
});
