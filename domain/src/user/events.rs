//! The events of an account.

use serde::{Deserialize, Serialize};

use crate::event_names::event_names;
use crate::{EmailAddress, Personal, Timestamp, UserId, Username};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Admin,
}

/// The actor who wanted a person to be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum AskedBy {
    Admin {
        user_id: UserId,
    },
    /// Whoever has the command line of the servers.
    Operator,
}

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
    /// The password is the same; its hash is a stronger one.
    PasswordHashRaised {
        password_hash: Personal<String>,
        raised_at: Timestamp,
    },
    UserDeactivated {
        reason: String,
        deactivated_at: Timestamp,
    },
    UserReactivated {
        reactivated_at: Timestamp,
    },
    /// The words of this person cannot be read any more, here or anywhere: the log destroys their key in the
    /// transaction that appends this event. The account is closed for good.
    PersonErased {
        user_id: UserId,
        asked_by: AskedBy,
        erased_at: Timestamp,
    },
}

event_names!(UserEvent {
    UserRegistered => "1.0",
    PasswordChanged => "1.0",
    PasswordHashRaised => "1.0",
    UserDeactivated => "1.0",
    UserReactivated => "1.0",
    PersonErased => "1.0",
});
