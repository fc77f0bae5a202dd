//! What can have happened to an algorithm.

use serde::{Deserialize, Serialize};

use super::Definition;
use crate::event_names::event_names;
use crate::{AlgorithmId, Credits, MicroUsd, Timestamp};

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
