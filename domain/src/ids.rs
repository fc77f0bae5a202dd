//! Ids have a type per kind, so that no two can be mixed up. All are UUIDs on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

id! {
    /// A person with an account.
    UserId,
    /// A refresh family: one login on one device.
    SessionId,
    /// A chat.
    ConversationId,
    /// A message of a chat.
    MessageId,
    /// A request for a thumbnail.
    RequestId,
    /// A call of a provider for a request.
    AttemptId,
    /// A grant of credits in a ledger.
    GrantId,
    /// A picture of the secret library.
    TemplateId,
    /// A "Routix version".
    AlgorithmId,
    /// A face or logo that a user uploaded.
    AssetId,
}
