//! Which faces and logos has a person uploaded?
//!
//! Owns `user_assets`.

mod apply;
mod queries;
#[cfg(test)]
mod tests;

pub use apply::Assets;
pub use queries::{AssetRow, get, list};

/// The name of the projection.
pub const NAME: &str = "assets";
