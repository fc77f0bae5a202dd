//! The events of a template.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event_names::event_names;
use crate::{TemplateId, Timestamp};

/// A picture in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPicture {
    pub key: String,
    pub mime: String,
    pub size_bytes: u64,
    pub width: u32,
    pub height: u32,
}

/// A unit vector. Stored as base64 of little-endian f32, so that a rebuild never calls a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(pub Vec<f32>);

impl Serialize for Embedding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|value| value.to_le_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Embedding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("an embedding is a whole number of f32"));
        }
        Ok(Self(values.iter().map(|value| f32::from_le_bytes(*value)).collect()))
    }
}

/// The result of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The design DNA, in the form of `analysis_version`.
    pub style_dna: serde_json::Value,
    pub embedding: Embedding,
    pub embedding_model: String,
    /// The text that was embedded.
    pub searchable_text: String,
    pub category: String,
    pub has_face: bool,
    pub has_text: bool,
    pub has_logo: bool,
    /// 1 (calm) to 10 (high energy).
    pub energy_level: u8,
    pub analyzed_by: String,
    pub analysis_version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum TemplateEvent {
    TemplateUploaded {
        template_id: TemplateId,
        image: StoredPicture,
        preview: StoredPicture,
        category: String,
        tags: Vec<String>,
        description: String,
        uploaded_at: Timestamp,
    },
    TemplateAnalysisRequested {
        template_id: TemplateId,
        requested_at: Timestamp,
    },
    TemplateAnalysisStarted {
        template_id: TemplateId,
        /// 1 for the first attempt of an analysis.
        attempt: u32,
        started_at: Timestamp,
    },
    TemplateAnalyzed {
        template_id: TemplateId,
        analysis: Box<Analysis>,
        analyzed_at: Timestamp,
    },
    TemplateAnalysisFailed {
        template_id: TemplateId,
        attempt: u32,
        reason: String,
        /// The time of the next attempt; `None` when there is none.
        retry_at: Option<Timestamp>,
        failed_at: Timestamp,
    },
    TemplateActivated {
        activated_at: Timestamp,
    },
    TemplateDeactivated {
        deactivated_at: Timestamp,
    },
}

event_names!(TemplateEvent {
    TemplateUploaded => "1.0",
    TemplateAnalysisRequested => "1.0",
    TemplateAnalysisStarted => "1.0",
    TemplateAnalyzed => "1.0",
    TemplateAnalysisFailed => "1.0",
    TemplateActivated => "1.0",
    TemplateDeactivated => "1.0",
});
