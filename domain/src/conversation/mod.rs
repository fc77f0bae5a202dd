//! A chat in which a thumbnail is ordered: the messages, and the brief that they fill in.
//!
//! The brief is what the next picture needs: a prompt, an algorithm, perhaps a face and a logo. The user's
//! messages fill it in, and the events say what it is waiting for, so the assistant only carries out.
//! State keeps the brief, not the messages. The assistant's words have their home in [`lines`].

mod commands;
mod error;
mod events;
mod line;
mod state;
#[cfg(test)]
mod tests;

pub mod lines;

pub use commands::ConversationCommand;
pub use error::ConversationError;
pub use events::{AlgorithmOption, Content, ConversationEvent, MessageBody, MessageRole, PictureKind};
pub use line::{Line, Missing, Welcome};
pub use state::{Brief, Chat, Conversation, Pictures};
