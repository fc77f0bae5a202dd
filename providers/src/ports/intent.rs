//! The intent of a prompt, in the few words that search and drawing need.

use serde::{Deserialize, Serialize};

/// The intent of one prompt. Derived from the user's words: personal, never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Lowercase, e.g. `gaming`, `food`; `general` when nothing fits.
    pub category: String,
    /// Design style, e.g. `bold`, `minimalist`, `retro`.
    pub style: String,
    /// e.g. `exciting`, `calm`, `professional`.
    pub mood: String,
    /// 1 (calm) to 10 (explosive).
    pub energy_level: u8,
    /// Things to show, most important first, e.g. `explosion`, `laptop`.
    pub visual_elements: Vec<String>,
    /// A headline of one to five punchy words for the picture, in the user's language.
    pub headline: String,
}

impl Intent {
    /// The text to embed for the template search: the prompt, then what was understood of it (the
    /// seed's `_enhance_search_query`).
    pub fn search_query(&self, prompt: &str) -> String {
        let mut parts = vec![
            prompt.to_owned(),
            format!("category:{}", self.category),
            format!("style:{}", self.style),
            format!("mood:{}", self.mood),
            format!("energy:{}", self.energy_level),
        ];
        parts.extend(self.visual_elements.iter().cloned());
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }
}
