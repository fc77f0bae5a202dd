//! The work that events call for: each kind of work as a [`Task`], the process manager that does it as its
//! [`Role`], and [`called_for`], which says what an event calls for.
//!
//! The projection `work` stores a row for each call, and the process managers carry the rows out. A name of a
//! task is stored in rows that outlive the program: it is never given to another task.

use crate::asset::AssetEvent;
use crate::conversation::ConversationEvent;
use crate::generation_request::GenerationRequestEvent;
use crate::template::TemplateEvent;
use crate::user::UserEvent;
use crate::{Timestamp, named};

named! {
    /// A process manager.
    Role {
        /// Answers in chats.
        Assistant => "assistant",
        /// Carries out generation requests.
        Generation => "generation",
        /// Analyses templates.
        Analysis => "analysis",
        /// Ends requests that take too long.
        Timers => "timers",
        /// Removes what must not be kept.
        Cleanup => "cleanup",
    }
}

named! {
    /// A kind of work. Its subject is the aggregate of the event that called for it.
    Task {
        /// Acknowledges a wish and offers the algorithms. Subject: the conversation.
        OfferAlgorithms => "offer_algorithms",
        /// Asks for a face or a logo. Subject: the conversation.
        AskForPicture => "ask_for_picture",
        /// Requests the generation that a completed brief describes. Subject: the conversation.
        StartGeneration => "start_generation",
        /// Makes the picture. Subject: the request.
        Generate => "generate",
        /// Ends a request that is not finished. Subject: the request.
        GenerationDeadline => "generation_deadline",
        /// Extracts the design DNA of a template. Subject: the template.
        Analyze => "analyze",
        /// Deletes the pictures of an erased person and ends their requests. Subject: the person.
        EraseObjects => "erase_objects",
        /// Deletes the picture of a deleted asset. Subject: the asset.
        DeleteObjects => "delete_objects",
    }
}

impl Task {
    /// The process manager that does such work.
    pub const fn role(self) -> Role {
        match self {
            Self::OfferAlgorithms | Self::AskForPicture | Self::StartGeneration => Role::Assistant,
            Self::Generate => Role::Generation,
            Self::GenerationDeadline => Role::Timers,
            Self::Analyze => Role::Analysis,
            Self::EraseObjects | Self::DeleteObjects => Role::Cleanup,
        }
    }
}

impl Role {
    /// The kinds of work of this process manager.
    pub fn tasks(self) -> impl Iterator<Item = Task> {
        Task::ALL.iter().copied().filter(move |task| task.role() == self)
    }
}

/// An event of an aggregate whose events may call for work.
#[derive(Debug, Clone, Copy)]
pub enum Cause<'a> {
    Conversation(&'a ConversationEvent),
    GenerationRequest(&'a GenerationRequestEvent),
    Template(&'a TemplateEvent),
    User(&'a UserEvent),
    Asset(&'a AssetEvent),
}

/// A piece of work that an event calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub task: Task,
    /// `None` for at once.
    pub due_at: Option<Timestamp>,
}

impl Call {
    const fn now(task: Task) -> Self {
        Self { task, due_at: None }
    }

    const fn at(task: Task, due_at: Timestamp) -> Self {
        Self { task, due_at: Some(due_at) }
    }
}

/// The work that an event calls for. Every event is named: a new one has to be decided here.
pub fn called_for(cause: Cause<'_>) -> Vec<Call> {
    match cause {
        Cause::Conversation(event) => of_conversation(event),
        Cause::GenerationRequest(event) => of_request(event),
        Cause::Template(event) => of_template(event),
        Cause::User(event) => of_user(event),
        Cause::Asset(event) => of_asset(event),
    }
}

fn of_conversation(event: &ConversationEvent) -> Vec<Call> {
    match event {
        ConversationEvent::MessagePosted { opens_brief: true, .. } => vec![Call::now(Task::OfferAlgorithms)],
        ConversationEvent::AlgorithmChosen { .. } => vec![Call::now(Task::AskForPicture)],
        ConversationEvent::BriefCompleted { .. } => vec![Call::now(Task::StartGeneration)],
        ConversationEvent::MessagePosted { opens_brief: false, .. }
        | ConversationEvent::ConversationStarted { .. }
        | ConversationEvent::ConversationRenamed { .. }
        | ConversationEvent::ConversationArchived { .. }
        | ConversationEvent::PictureAttached { .. } => vec![],
    }
}

fn of_request(event: &GenerationRequestEvent) -> Vec<Call> {
    match event {
        GenerationRequestEvent::GenerationRequested { deadline_at, .. } => {
            vec![Call::now(Task::Generate), Call::at(Task::GenerationDeadline, *deadline_at)]
        }
        GenerationRequestEvent::AnalysisStarted { .. }
        | GenerationRequestEvent::IntentAnalyzed { .. }
        | GenerationRequestEvent::TemplatesMatched { .. }
        | GenerationRequestEvent::PromptComposed { .. }
        | GenerationRequestEvent::AttemptStarted { .. }
        | GenerationRequestEvent::AttemptEnded { .. }
        | GenerationRequestEvent::GenerationCompleted { .. }
        | GenerationRequestEvent::GenerationFailed { .. }
        | GenerationRequestEvent::GenerationCancelled { .. } => vec![],
    }
}

fn of_template(event: &TemplateEvent) -> Vec<Call> {
    match event {
        TemplateEvent::TemplateUploaded { .. } | TemplateEvent::TemplateAnalysisRequested { .. } => {
            vec![Call::now(Task::Analyze)]
        }
        TemplateEvent::TemplateAnalysisFailed { retry_at: Some(retry_at), .. } => {
            vec![Call::at(Task::Analyze, *retry_at)]
        }
        TemplateEvent::TemplateAnalysisFailed { retry_at: None, .. }
        | TemplateEvent::TemplateAnalysisStarted { .. }
        | TemplateEvent::TemplateAnalyzed { .. }
        | TemplateEvent::TemplateActivated { .. }
        | TemplateEvent::TemplateDeactivated { .. } => vec![],
    }
}

fn of_asset(event: &AssetEvent) -> Vec<Call> {
    match event {
        AssetEvent::AssetDeleted { .. } => vec![Call::now(Task::DeleteObjects)],
        AssetEvent::AssetUploaded { .. } => vec![],
    }
}

fn of_user(event: &UserEvent) -> Vec<Call> {
    match event {
        UserEvent::PersonErased { .. } => vec![Call::now(Task::EraseObjects)],
        UserEvent::UserRegistered { .. }
        | UserEvent::PasswordChanged { .. }
        | UserEvent::PasswordHashRaised { .. }
        | UserEvent::UserDeactivated { .. }
        | UserEvent::UserReactivated { .. } => vec![],
    }
}
