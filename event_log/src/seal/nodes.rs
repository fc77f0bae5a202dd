//! Finds marked nodes in a JSON text, so that only they are taken apart and the rest is copied as it is.
//!
//! `{"$personal":` cannot stand inside a JSON string: there its quotes would be escaped. So in a text without
//! spaces between tokens, which is how everything here is written, a search finds the nodes and nothing else.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::LogError;

/// A marked node: whose it is, and the value's JSON or the sealed box.
#[derive(Debug, Deserialize)]
pub(super) enum Node<'a> {
    #[serde(rename = "$personal")]
    Personal {
        owner: Uuid,
        #[serde(borrow)]
        value: &'a RawValue,
    },
    #[serde(rename = "$sealed")]
    Sealed {
        owner: Uuid,
        #[serde(rename = "box", borrow)]
        sealed: Cow<'a, str>,
    },
}

pub(super) const PERSONAL: &str = r#"{"$personal":"#;
pub(super) const SEALED: &str = r#"{"$sealed":"#;

/// The first node with this mark at or behind `from`, and where it stands.
pub(super) fn next<'a>(
    text: &'a str,
    mark: &str,
    from: usize,
) -> Result<Option<(Range<usize>, Node<'a>)>, LogError> {
    let Some(start) = text[from..].find(mark).map(|offset| from + offset) else { return Ok(None) };
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter();
    let node = values.next().unwrap_or_else(|| Err(serde::de::Error::custom("the node is not complete")));
    let node = node.map_err(unreadable)?;
    Ok(Some((start..start + values.byte_offset(), node)))
}

pub(super) fn unreadable(reason: impl std::fmt::Display) -> LogError {
    LogError::Unreadable { what: "a sealed node".to_owned(), reason: reason.to_string() }
}
