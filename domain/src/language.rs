//! The languages that Routix speaks, and the choice between them.

use crate::named;

named! {
    /// A language in which the house can say everything. The word is its tag (RFC 5646).
    Language {
        English => "en",
        German => "de",
    }
}

/// The sources that tell a person's language. Each is weaker than the one above it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// The choice in the person's profile.
    pub profile: Option<Language>,
    /// The language of the message that is answered.
    pub message: Option<Language>,
    /// `Accept-Language` of the request that led here.
    pub request: Option<Language>,
}

impl Known {
    /// The only source in an event: the language tag of the request, kept in the event's metadata.
    pub fn of_request(tag: Option<&str>) -> Self {
        Self { request: tag.and_then(Language::parse), ..Self::default() }
    }

    /// The language to answer in: the strongest source that says one, else English.
    pub fn choose(self) -> Language {
        self.profile.or(self.message).or(self.request).unwrap_or(Language::English)
    }
}

impl Language {
    /// The language that a client prefers among ours, from the value of its `Accept-Language` header (RFC 9110,
    /// section 12.5.4). A regional tag as `de-CH` asks for its language. `None` when the client names none of ours.
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let mut best: Option<(Self, u16)> = None;
        for range in accept_language.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let (Some(language), Some(weight)) = (Self::of_tag(tag), thousandths(weight)) else { continue };
            // The first of several that are wanted equally wins.
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        Self::parse(&primary.to_ascii_lowercase())
    }
}

/// A weight as `q=0.8` in thousandths, 0 to 1000.
fn thousandths(weight: &str) -> Option<u16> {
    let value: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is between 0 and 1"
    )]
    (0.0..=1.0).contains(&value).then(|| (value * 1000.0).round() as u16)
}
