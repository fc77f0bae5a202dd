//! A line of the assistant: its key, its arguments, and whether anything follows it.

use serde::{Deserialize, Serialize};

use crate::generation_request::FailureReason;
use crate::{Credits, named};

/// A sentence of the assistant with its arguments. None of them is a person's word: lines are stored in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "key", rename_all = "snake_case")]
pub enum Line {
    /// The wish was understood.
    GotIt,
    /// The user is to choose an algorithm.
    WhichVersion,
    /// There is no algorithm to choose.
    NoVersion,
    /// The user may add a face or a logo.
    AddPicture,
    /// The generation was requested.
    Perfect,
    /// The picture is there.
    Ready,
    /// The order was refused: the balance is too small.
    NotEnoughCredits { required: Credits, available: Credits },
    /// The order was refused: users may not choose the algorithm of this name any more.
    VersionInactive { name: String },
    /// The order was refused by the moderation.
    ContentRejected,
    /// The order was refused: something that it names does not exist any more.
    Gone { what: Missing },
    /// The generation ended without a picture, and the credits went back.
    Failed { reason: FailureReason, returned: Credits },
}

named! {
    /// A thing that an order names.
    Missing {
        Picture => "picture",
        Version => "version",
    }
}

impl Line {
    /// The key under which the line is stored, and by which clients tell lines apart.
    pub fn key(&self) -> &'static str {
        match self {
            Self::GotIt => "got_it",
            Self::WhichVersion => "which_version",
            Self::NoVersion => "no_version",
            Self::AddPicture => "add_picture",
            Self::Perfect => "perfect",
            Self::Ready => "ready",
            Self::NotEnoughCredits { .. } => "not_enough_credits",
            Self::VersionInactive { .. } => "version_inactive",
            Self::ContentRejected => "content_rejected",
            Self::Gone { .. } => "gone",
            Self::Failed { .. } => "failed",
        }
    }

    /// True for the last line about an order: nothing more comes, with or without a picture.
    pub fn is_final(&self) -> bool {
        match self {
            Self::GotIt | Self::WhichVersion | Self::AddPicture | Self::Perfect => false,
            Self::NoVersion
            | Self::Ready
            | Self::NotEnoughCredits { .. }
            | Self::VersionInactive { .. }
            | Self::ContentRejected
            | Self::Gone { .. }
            | Self::Failed { .. } => true,
        }
    }
}

/// The welcome to somebody who has not said anything yet: a greeting, and wishes to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    pub greeting: String,
    pub suggestions: [&'static str; 6],
}
