//! Bounded text: each kind of text has a type that cannot hold what the business would refuse.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text was refused. Lengths are in characters, not bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("{field} must have {min} to {max} characters, not {actual}")]
    Length { field: &'static str, min: usize, max: usize, actual: usize },
    #[error("{field} is not valid: {reason}")]
    Form { field: &'static str, reason: &'static str },
}

impl TextError {
    /// The field that the text was meant for.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Length { field, .. } | Self::Form { field, .. } => field,
        }
    }
}

fn bounded(field: &'static str, text: &str, min: usize, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    let actual = text.chars().count();
    if actual < min || actual > max {
        return Err(TextError::Length { field, min, max, actual });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextError::Form { field, reason: "it holds control characters" });
    }
    Ok(text.to_owned())
}

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident($field:literal, $min:literal..=$max:literal)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub const MAX_CHARS: usize = $max;

            /// Trims the text and checks its length and characters.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                bounded($field, text, $min, $max).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

text! {
    /// A description of the thumbnail that somebody wants.
    Prompt("prompt", 1..=1000),
    /// Words that the picture itself should carry.
    CustomText("custom_text", 1..=200),
    /// The words of a message in a chat.
    MessageText("content", 1..=1000),
    /// The name of a chat.
    Title("title", 1..=200),
    /// The name a person goes by.
    Username("username", 1..=100),
}

impl Title {
    /// A title made of the first words of a message: at most 60 characters, cut between words where there are
    /// several. A cut is marked.
    pub fn from_message(message: &MessageText) -> Self {
        const TITLE_CHARS_MAX: usize = 60;
        let words = message.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() <= TITLE_CHARS_MAX {
            return Self(words);
        }
        let mut title: String = words.chars().take(TITLE_CHARS_MAX).collect();
        // The last character kept makes room for the mark, or tells that a word ends right before it.
        let last = title.pop();
        if last != Some(' ')
            && let Some(end) = title.rfind(' ')
        {
            title.truncate(end);
        }
        title.truncate(title.trim_end().len());
        title.push('…');
        Self(title)
    }
}

/// An email address. Two addresses that differ in letter case only belong to the same person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        const FIELD: &str = "email";
        let text = bounded(FIELD, text, 3, 255)?;
        let form = |reason| TextError::Form { field: FIELD, reason };
        let (local, host) = text.rsplit_once('@').ok_or(form("it has no @"))?;
        let unusable = |c: char| c.is_whitespace() || matches!(c, '@' | '"');
        if local.is_empty() || local.len() > 64 || local.contains(unusable) {
            return Err(form("the part before the @ is not usable"));
        }
        let labels_fit = host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        if !labels_fit || !host.contains('.') {
            return Err(form("the part after the @ is not a host name"));
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which the address is unique.
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

impl AsRef<str> for EmailAddress {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The short name of an algorithm in URLs and messages, as `routix_v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = bounded("slug", text, 1, 100)?;
        if text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-') {
            Ok(Self(text))
        } else {
            Err(TextError::Form { field: "slug", reason: "only a-z, 0-9, _ and - are allowed" })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
