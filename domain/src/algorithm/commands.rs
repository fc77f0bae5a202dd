//! The commands to an algorithm, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{Algorithm, AlgorithmError, AlgorithmEvent, Definition};
use crate::{Credits, MicroUsd, Timestamp};

#[derive(Debug, Clone)]
pub enum AlgorithmCommand {
    Define { definition: Definition, at: Timestamp },
    Reprice { credit_cost: Credits, cost: MicroUsd, at: Timestamp },
    Activate { at: Timestamp },
    Deactivate { at: Timestamp },
    MakeDefault { at: Timestamp },
}

impl Aggregate for Algorithm {
    const TYPE: &'static str = "algorithm";
    type Command = AlgorithmCommand;
    type Event = AlgorithmEvent;
    type Error = AlgorithmError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AlgorithmCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AlgorithmError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AlgorithmEvent) {
        self.fold(event);
    }
}

impl Algorithm {
    fn decide(&self, command: AlgorithmCommand) -> Result<Option<AlgorithmEvent>, AlgorithmError> {
        match (self, command) {
            (Self::NotDefined, AlgorithmCommand::Define { definition, at }) => {
                Ok(Some(AlgorithmEvent::AlgorithmDefined { definition, defined_at: at }))
            }
            (_, AlgorithmCommand::Define { .. }) => Err(AlgorithmError::AlreadyDefined),
            (Self::NotDefined, _) => Err(AlgorithmError::NotDefined),
            (
                Self::Active(definition) | Self::Inactive(definition),
                AlgorithmCommand::Reprice { credit_cost, cost, at },
            ) => {
                let changed = definition.credit_cost != credit_cost || definition.cost != cost;
                Ok(changed.then_some(AlgorithmEvent::AlgorithmRepriced {
                    credit_cost,
                    cost,
                    repriced_at: at,
                }))
            }
            (Self::Active(definition), AlgorithmCommand::MakeDefault { at }) => {
                Ok(Some(AlgorithmEvent::AlgorithmMadeDefault {
                    algorithm_id: definition.algorithm_id,
                    made_default_at: at,
                }))
            }
            (Self::Inactive(_), AlgorithmCommand::MakeDefault { .. }) => Err(AlgorithmError::Inactive),
            (Self::Inactive(_), AlgorithmCommand::Activate { at }) => {
                Ok(Some(AlgorithmEvent::AlgorithmActivated { activated_at: at }))
            }
            (Self::Active(definition), AlgorithmCommand::Deactivate { at }) => {
                Ok(Some(AlgorithmEvent::AlgorithmDeactivated {
                    algorithm_id: definition.algorithm_id,
                    deactivated_at: at,
                }))
            }
            (Self::Active(_), AlgorithmCommand::Activate { .. })
            | (Self::Inactive(_), AlgorithmCommand::Deactivate { .. }) => Ok(None),
        }
    }
}
