//! The state that decisions about an algorithm, and about requests that use it, rest on.

use serde::{Deserialize, Serialize};

use super::{AlgorithmEvent, Definition};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Algorithm {
    #[default]
    NotDefined,
    Active(Definition),
    Inactive(Definition),
}

impl Algorithm {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub(super) fn fold(&mut self, event: AlgorithmEvent) {
        match (&mut *self, event) {
            (_, AlgorithmEvent::AlgorithmDefined { definition, .. }) => *self = Self::Active(definition),
            (
                Self::Active(definition) | Self::Inactive(definition),
                AlgorithmEvent::AlgorithmRepriced { credit_cost, cost, .. },
            ) => {
                definition.credit_cost = credit_cost;
                definition.cost = cost;
            }
            (Self::Inactive(definition), AlgorithmEvent::AlgorithmActivated { .. }) => {
                *self = Self::Active(definition.clone());
            }
            (Self::Active(definition), AlgorithmEvent::AlgorithmDeactivated { .. }) => {
                *self = Self::Inactive(definition.clone());
            }
            _ => {}
        }
    }
}
