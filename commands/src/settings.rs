//! The numbers of the business that an operator may change.

use std::time::Duration;

/// Limits and prices of the write side.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Credits that a new account starts with.
    pub signup_credits: u32,
    /// The balance below which a user is warned.
    pub low_credits_threshold: u32,
    /// The life of a refresh token.
    pub refresh_token_life: Duration,
    /// The time until an unfinished generation ends by itself.
    pub generation_deadline: Duration,
    /// The largest face or logo, in bytes.
    pub asset_bytes_max: usize,
    /// The largest template, in bytes.
    pub template_bytes_max: usize,
    /// The largest picture that is decoded, in pixels.
    pub picture_pixels_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            signup_credits: 25,
            low_credits_threshold: 5,
            refresh_token_life: Duration::from_hours(7 * 24),
            generation_deadline: Duration::from_mins(10),
            asset_bytes_max: 10 << 20,
            template_bytes_max: 15 << 20,
            picture_pixels_max: 40_000_000,
        }
    }
}
