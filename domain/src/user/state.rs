//! The state that decisions about an account rest on.

use serde::{Deserialize, Serialize};

use super::{Role, UserEvent};
use crate::{EmailAddress, Personal, Timestamp, UserId, Username};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub user_id: UserId,
    pub email: Personal<EmailAddress>,
    pub username: Personal<Username>,
    pub password_hash: Personal<String>,
    pub role: Role,
    pub registered_at: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum User {
    #[default]
    Unregistered,
    Active(Profile),
    Deactivated(Profile),
    /// For good: nothing of the person is left but the id.
    Erased {
        user_id: UserId,
    },
}

impl User {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    /// The profile, if somebody registered and was not erased, active or not.
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Unregistered | Self::Erased { .. } => None,
            Self::Active(profile) | Self::Deactivated(profile) => Some(profile),
        }
    }

    pub(super) fn fold(&mut self, event: UserEvent) {
        match (&mut *self, event) {
            (
                _,
                UserEvent::UserRegistered { user_id, email, username, password_hash, role, registered_at },
            ) => {
                *self =
                    Self::Active(Profile { user_id, email, username, password_hash, role, registered_at });
            }
            (
                Self::Active(profile) | Self::Deactivated(profile),
                UserEvent::PasswordChanged { password_hash, .. }
                | UserEvent::PasswordHashRaised { password_hash, .. },
            ) => {
                profile.password_hash = password_hash;
            }
            (Self::Active(profile), UserEvent::UserDeactivated { .. }) => {
                *self = Self::Deactivated(profile.clone());
            }
            (Self::Deactivated(profile), UserEvent::UserReactivated { .. }) => {
                *self = Self::Active(profile.clone());
            }
            (Self::Active(_) | Self::Deactivated(_), UserEvent::PersonErased { user_id, .. }) => {
                *self = Self::Erased { user_id };
            }
            _ => {}
        }
    }
}
