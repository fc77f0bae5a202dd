//! A face or logo that a user uploaded, checked and re-encoded before it gets here.
//!
//! Refuses to be uploaded twice and to be deleted by anything but its owner's command.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::AssetCommand;
pub use error::AssetError;
pub use events::AssetEvent;
pub use state::{Asset, UploadedAsset};
