//! Authentication: tokens, and the caller that a token stands for.

mod extract;
mod signatures;
mod tokens;

pub use extract::{AdminUser, CurrentUser, bearer};
pub use tokens::{TokenKeys, TokenType, access_expires_in, random_text};
