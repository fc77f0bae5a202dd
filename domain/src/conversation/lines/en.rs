//! The assistant's words in English.

use crate::conversation::line::{Line, Missing, Welcome};
use crate::generation_request::Status;
use crate::language::Language::English;

pub(super) fn text(line: &Line) -> String {
    match line {
        Line::GotIt => "Got it! 🎮 Let me create that for you...".to_owned(),
        Line::WhichVersion => "Which Routix version should draw it?".to_owned(),
        Line::NoVersion => "No Routix version is available right now. Please try again later.".to_owned(),
        Line::AddPicture => "Would you like to add your face or logo?".to_owned(),
        Line::Perfect => "Perfect! Generating now... ✨".to_owned(),
        Line::Ready => Status::Completed.sentence(English).to_owned(),
        Line::NotEnoughCredits { required, available } => {
            format!("This needs {} and you have {available}. Nothing was charged.", required.in_words())
        }
        Line::VersionInactive { name } => {
            format!("{name} is not available any more. Please choose another version.")
        }
        Line::ContentRejected => {
            "I can't draw that: the content was rejected. Nothing was charged.".to_owned()
        }
        Line::Gone { what } => {
            let what = match what {
                Missing::Picture => "picture",
                Missing::Version => "version",
            };
            format!("I can't find the {what} any more. Please start again.")
        }
        Line::Failed { reason, returned } => {
            format!("{}. {} returned to your balance.", reason.sentence(English), returned.in_words())
        }
    }
}

pub(super) fn welcome(name: &str) -> Welcome {
    Welcome {
        greeting: format!("Hey {name}! Can I help you with anything?"),
        suggestions: [
            "Create gaming thumbnail with explosions",
            "Tech review thumbnail for a new laptop",
            "Calm cooking video about fresh pasta",
            "Travel vlog from the mountains",
            "Fitness challenge: 30 days of push-ups",
            "Explain how interest rates work",
        ],
    }
}
