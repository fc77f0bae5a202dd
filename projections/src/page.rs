//! A page of a list.

use serde::Serialize;

/// No answer holds more rows.
pub const PAGE_ROWS_MAX: i64 = 200;

/// Which rows of a list, by count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: i64,
    pub offset: i64,
}

impl Page {
    /// A page within the limits, whatever was asked for.
    pub fn new(limit: i64, offset: i64) -> Self {
        Self { limit: limit.clamp(1, PAGE_ROWS_MAX), offset: offset.max(0) }
    }
}

/// Some rows of a list and how many there are in all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub total: i64,
}
