//! What do process managers have to do?
//!
//! Turns events into rows of `work`, which `event_log` owns, and wakes the roles that got some. Adding a row
//! again is harmless: its id follows from the event. The names below are shared with `commands`, which reads
//! the rows but never sees this crate.

mod apply;
mod orders;
#[cfg(test)]
mod tests;

pub use apply::WorkToDo;

/// The name of the projection.
pub const NAME: &str = "work";

/// Answers in chats. Subject: the conversation.
pub const ROLE_ASSISTANT: &str = "assistant";
pub const TASK_OFFER_ALGORITHMS: &str = "offer_algorithms";
pub const TASK_ASK_FOR_PICTURE: &str = "ask_for_picture";
pub const TASK_START_GENERATION: &str = "start_generation";

/// Carries out requests. Subject: the request.
pub const ROLE_GENERATION: &str = "generation";
pub const TASK_GENERATE: &str = "generate";

/// Ends what takes too long. Subject: the request.
pub const ROLE_TIMERS: &str = "timers";
pub const TASK_GENERATION_DEADLINE: &str = "generation_deadline";

/// Removes what must not be kept. Subject: the person.
pub const ROLE_CLEANUP: &str = "cleanup";
pub const TASK_ERASE_OBJECTS: &str = "erase_objects";

/// Looks at templates. Subject: the template.
pub const ROLE_ANALYSIS: &str = "analysis";
pub const TASK_ANALYZE: &str = "analyze";
