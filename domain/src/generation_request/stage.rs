//! The ladder that a request climbs, as people are shown it: status, percent and sentence of each rung, the same
//! in frames, in answers and in what the chat says.

use super::{FailureReason, GenerationRequestEvent};
use crate::language::Language;
use crate::named;

named! {
    /// The place of a request on the ladder. The last three are final.
    Status {
        Pending => "pending",
        Analyzing => "analyzing",
        Searching => "searching",
        Composing => "composing",
        Generating => "generating",
        Completed => "completed",
        Failed => "failed",
        Cancelled => "cancelled",
    }
}

/// The percent just before the provider's call, and the most that is shown during it: the rest belongs to storing
/// the picture.
const DRAWING_FROM: u8 = 70;
const DRAWING_UPTO: u8 = 95;

/// The percent of a request while its provider is at 0 to 100 percent of the call.
pub fn percent_while_drawing(of_call: u8) -> u8 {
    let span = u16::from(DRAWING_UPTO - DRAWING_FROM);
    DRAWING_FROM + u8::try_from(u16::from(of_call.min(100)) * span / 100).unwrap_or_default()
}

impl Status {
    /// The status that an event leads to; `None` when the request stays on its rung.
    pub fn entered_by(event: &GenerationRequestEvent) -> Option<Self> {
        match event {
            GenerationRequestEvent::GenerationRequested { .. } => Some(Self::Pending),
            GenerationRequestEvent::AnalysisStarted { .. } => Some(Self::Analyzing),
            GenerationRequestEvent::IntentAnalyzed { .. } => Some(Self::Searching),
            GenerationRequestEvent::TemplatesMatched { .. } => Some(Self::Composing),
            GenerationRequestEvent::AttemptStarted { .. } => Some(Self::Generating),
            GenerationRequestEvent::GenerationCompleted { .. } => Some(Self::Completed),
            GenerationRequestEvent::GenerationFailed { .. } => Some(Self::Failed),
            GenerationRequestEvent::GenerationCancelled { .. } => Some(Self::Cancelled),
            GenerationRequestEvent::PromptComposed { .. } | GenerationRequestEvent::AttemptEnded { .. } => {
                None
            }
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The progress on this rung; `None` for a request that ends without a picture: its progress stays.
    pub fn percent(self) -> Option<u8> {
        match self {
            Self::Pending => Some(0),
            Self::Analyzing => Some(10),
            Self::Searching => Some(30),
            Self::Composing => Some(50),
            Self::Generating => Some(DRAWING_FROM),
            Self::Completed => Some(100),
            Self::Failed | Self::Cancelled => None,
        }
    }

    /// The sentence for a reader. A failure whose reason is known says more: [`FailureReason::sentence`].
    pub fn sentence(self, language: Language) -> &'static str {
        match language {
            Language::English => match self {
                Self::Pending => "Waiting to start...",
                Self::Analyzing => "Analyzing your request...",
                Self::Searching => "Finding best matching templates...",
                Self::Composing => "Composing generation prompt...",
                Self::Generating => "Generating your thumbnail...",
                Self::Completed => "Your thumbnail is ready!",
                Self::Failed => "Generation failed",
                Self::Cancelled => "Generation cancelled",
            },
            Language::German => match self {
                Self::Pending => "Gleich geht es los …",
                Self::Analyzing => "Dein Wunsch wird gelesen …",
                Self::Searching => "Passende Vorlagen werden gesucht …",
                Self::Composing => "Der Auftrag wird formuliert …",
                Self::Generating => "Dein Bild wird gezeichnet …",
                Self::Completed => "Dein Bild ist fertig!",
                Self::Failed => "Das hat nicht geklappt",
                Self::Cancelled => "Der Auftrag wurde abgebrochen",
            },
        }
    }
}

impl FailureReason {
    /// The sentence for a reader, without internal detail.
    pub fn sentence(self, language: Language) -> String {
        format!("{}: {}", Status::Failed.sentence(language), self.words(language))
    }

    fn words(self, language: Language) -> &'static str {
        match language {
            Language::English => match self {
                Self::ContentRejected => "the content was rejected",
                Self::ProviderUnavailable => "no image provider was available",
                Self::TimedOut => "it took too long",
                Self::Internal => "something went wrong on our side",
            },
            Language::German => match self {
                Self::ContentRejected => "der Inhalt wurde abgelehnt",
                Self::ProviderUnavailable => "kein Bilddienst war erreichbar",
                Self::TimedOut => "es hat zu lange gedauert",
                Self::Internal => "bei uns ist etwas schiefgegangen",
            },
        }
    }
}
