//! The events of an algorithm.

use serde::{Deserialize, Serialize};

use crate::event_names::event_names;
use crate::{AlgorithmId, Credits, MicroUsd, Slug, Timestamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    pub algorithm_id: AlgorithmId,
    pub slug: Slug,
    pub display_name: String,
    /// The provider that draws, by the name under which it is configured.
    pub provider: String,
    /// Handed to the provider as it is.
    pub config: serde_json::Value,
    /// The price of a picture for the user.
    pub credit_cost: Credits,
    /// The price of a picture for the house.
    pub cost: MicroUsd,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AlgorithmEvent {
    AlgorithmDefined { definition: Definition, defined_at: Timestamp },
    AlgorithmRepriced { credit_cost: Credits, cost: MicroUsd, repriced_at: Timestamp },
    AlgorithmActivated { activated_at: Timestamp },
    AlgorithmDeactivated { algorithm_id: AlgorithmId, deactivated_at: Timestamp },
    AlgorithmMadeDefault { algorithm_id: AlgorithmId, made_default_at: Timestamp },
}

event_names!(AlgorithmEvent {
    AlgorithmDefined => "1.0",
    AlgorithmRepriced => "1.0",
    AlgorithmActivated => "1.0",
    AlgorithmDeactivated => "1.0",
    AlgorithmMadeDefault => "1.0",
});
