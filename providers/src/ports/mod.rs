//! The ports: one trait per need, and the values that cross them.
//!
//! Owns the contract between the pipeline and whoever does the work: built in, or a paid service
//! over HTTP. Refuses to know any vendor: an adapter maps its answers to these types and its
//! failures to [`ProviderError`].

mod dna;
mod error;
mod intent;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use dna::{
    BackgroundType, Balance, ColorAnalysis, ColorTemperature, Composition, ContrastLevel, DesignDna,
    DnaFault, FocalPoint, HexColour, LayoutType, StyleCharacteristics, TextPlacement, TextSize, TextStyle,
    Typography, VisualEffect, VisualElements, VisualHierarchy, template_text,
};
pub use error::ProviderError;
pub use intent::Intent;

/// Length of every vector an [`Embedder`] gives, fixed by the column of the vector index.
pub const EMBEDDING_DIMENSIONS: usize = 1536;

/// Looks at template pictures and reads prompts.
#[async_trait]
pub trait VisionAnalyzer: Send + Sync {
    /// Stable name for events and metrics, e.g. `measuring`.
    fn name(&self) -> &str;

    /// The design DNA of an encoded PNG, JPEG or WebP. A picture that cannot be decoded is `BadRequest`.
    async fn design_dna(&self, picture: &[u8], hints: &AnalysisHints) -> Result<DesignDna, ProviderError>;

    /// Reads the intent of a text. Any text has one, also an empty one.
    async fn intent(&self, prompt: &str) -> Result<Intent, ProviderError>;
}

/// Turns text into a vector of [`EMBEDDING_DIMENSIONS`] numbers of length 1.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Model name, stored with every vector: vectors of different models are never compared.
    fn model(&self) -> &str;

    /// Cosine similarity from which a template counts as a match, calibrated for this model.
    fn similarity_threshold(&self) -> f32;

    async fn embed(&self, text: &str) -> Result<Vec<f32>, ProviderError>;
}

/// Makes the picture.
#[async_trait]
pub trait ImageGenerator: Send + Sync {
    /// The name an algorithm's chain uses, e.g. `studio`.
    fn name(&self) -> &str;

    /// Tells whether a call whose outcome is unknown can be looked up later by `attempt_id`.
    /// Where it cannot, a timed-out attempt is assumed paid and is never sent again.
    fn can_look_up(&self) -> bool;

    /// `progress` is 0..=100 of this one call and never falls.
    async fn generate(
        &self,
        job: &GenerationJob,
        progress: &(dyn Fn(u8) + Send + Sync),
    ) -> Result<GeneratedPicture, ProviderError>;
}

/// Reads words before money is spent on them.
#[async_trait]
pub trait Moderator: Send + Sync {
    async fn review(&self, text: &str) -> Result<Verdict, ProviderError>;
}

/// Keeps bytes under a key. Keys are `[a-z0-9/_.-]`, relative, without `.` or `..` segments.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores once; durable when it returns. The same bytes under the same key succeed again, other bytes are
    /// `BadRequest`: an event that names a key names its content too.
    async fn put(&self, key: &str, bytes: Bytes, content_type: &str) -> Result<(), ProviderError>;

    /// `NotFound` when nothing is stored under the key.
    async fn get(&self, key: &str) -> Result<StoredObject, ProviderError>;

    /// Deleting what is not there succeeds, so that a cleanup can be repeated.
    async fn delete(&self, key: &str) -> Result<(), ProviderError>;
}

/// What is known about a picture besides its pixels. Only category and audience are taken from it;
/// everything else is measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisHints {
    pub category: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    pub description: Option<String>,
}

/// A paid call. Carries raw pictures, so it is not serialisable on purpose: events name object keys.
#[derive(Debug, Clone)]
pub struct GenerationJob {
    /// The attempt's id in the log; a service that takes a reference gets this one.
    pub attempt_id: Uuid,
    /// The composed prompt: what a text-to-picture model is told.
    pub prompt: String,
    /// Up to five words for the picture.
    pub headline: String,
    /// Words the user insists on; they replace the headline.
    pub custom_text: Option<String>,
    pub intent: Intent,
    /// The DNA of the matched template, when there is one.
    pub style: Option<DesignDna>,
    /// Encoded picture, already through [`crate::pictures::normalise`].
    pub face: Option<Bytes>,
    /// Encoded picture, already through [`crate::pictures::normalise`].
    pub logo: Option<Bytes>,
    /// The algorithm's own settings. `studio` reads `{"finish": "classic" | "pro" | "lightning"}`.
    pub config: serde_json::Value,
    /// All randomness of the picture comes from here: same job, same bytes.
    pub seed: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPicture {
    pub png: Bytes,
    pub width: u32,
    pub height: u32,
    /// The service's own id for the picture, for support and look-ups.
    pub provider_generation_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Allowed,
    Rejected { categories: Vec<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    pub bytes: Bytes,
    pub content_type: String,
}
