//! A page of a list.

use event_log::Position;
use serde::Serialize;

/// No answer holds more rows.
pub const PAGE_ROWS_MAX: i64 = 200;

/// A page of a list, by count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: i64,
    pub offset: i64,
}

impl Page {
    /// Brings a page within the limits.
    pub fn new(limit: i64, offset: i64) -> Self {
        Self { limit: limit.clamp(1, PAGE_ROWS_MAX), offset: offset.max(0) }
    }
}

/// A page of a list that is ordered by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The position of the last row of the page before. The first page has none.
    pub at: Option<Position>,
    pub limit: i64,
}

/// Some rows of a list and how many there are in all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub total: i64,
}
