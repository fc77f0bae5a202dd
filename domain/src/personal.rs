//! Values that belong to a person: prompts, messages, names, addresses.
//!
//! `Personal<T>` serialises to a marked JSON node that names the person. The log seals marked nodes by
//! their shape before it stores them and opens them on load; once the person was erased the node comes
//! back as `Erased`. `Debug` never prints the value, so that no log line can.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::UserId;

/// A value of a person, or the mark that it was erased.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    Known { owner: UserId, value: T },
    Erased { owner: UserId },
}

impl<T> Personal<T> {
    pub fn new(owner: UserId, value: T) -> Self {
        Self::Known { owner, value }
    }

    pub fn owner(&self) -> UserId {
        match self {
            Self::Known { owner, .. } | Self::Erased { owner } => *owner,
        }
    }

    /// The value, unless it was erased.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Erased { .. } => None,
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Personal<U> {
        match self {
            Self::Known { owner, value } => Personal::Known { owner, value: f(value) },
            Self::Erased { owner } => Personal::Erased { owner },
        }
    }
}

impl<T: AsRef<str>> Personal<T> {
    /// The text for a reader: the value, or `erased`.
    pub fn text(&self) -> &str {
        self.known().map_or("erased", AsRef::as_ref)
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { owner, .. } => write!(f, "Personal({owner}, …)"),
            Self::Erased { owner } => write!(f, "Personal({owner}, erased)"),
        }
    }
}

#[derive(Serialize, Deserialize)]
enum Node<T> {
    #[serde(rename = "$personal")]
    Known { owner: UserId, value: T },
    #[serde(rename = "$erased")]
    Erased { owner: UserId },
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known { owner, value } => Node::Known { owner: *owner, value }.serialize(serializer),
            Self::Erased { owner } => Node::<&T>::Erased { owner: *owner }.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Node::deserialize(deserializer)? {
            Node::Known { owner, value } => Self::Known { owner, value },
            Node::Erased { owner } => Self::Erased { owner },
        })
    }
}
