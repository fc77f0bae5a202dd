//! Which chats does a person have, and what was said in them?
//!
//! Owns `conversations` and `messages`, and the form in which clients see a message.

mod apply;
mod page;
mod queries;
#[cfg(test)]
mod tests;
mod view;

pub use apply::Conversations;
pub use queries::{
    Conversation, ConversationPage, Message, MessagePage, OwnChat, Window, get, list, list_before, messages,
};
pub use view::{MessageView, message_view};

/// The name of the projection.
pub const NAME: &str = "conversations";
