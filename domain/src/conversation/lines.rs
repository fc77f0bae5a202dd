//! Everything that the assistant says. An event keeps a line as key, arguments and language; its text is made
//! where somebody reads it, so that a better wording reaches old messages too.
//!
//! The words of a language are a file of their own. A new language is a new file, a variant of [`Language`] and
//! its sentences in `generation_request/stage.rs`; the compiler asks for each.

mod de;
mod en;

use super::line::{Line, Welcome};
use crate::language::Language;

impl Line {
    /// The words for a reader.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => en::text(self),
            Language::German => de::text(self),
        }
    }
}

/// The welcome to a person of this name.
pub fn welcome(name: &str, language: Language) -> Welcome {
    match language {
        Language::English => en::welcome(name),
        Language::German => de::welcome(name),
    }
}
