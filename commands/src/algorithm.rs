//! Commands to algorithms, and finding one by what a client calls it.

use domain::algorithm::{Algorithm, AlgorithmCommand, Definition};
use domain::{AlgorithmId, Credits, MicroUsd, Slug};
use event_log::{Claim, CommandContext, clock};
use uuid::Uuid;

use crate::error::ALGORITHM;
use crate::{CommandError, Commands, Done, outcome};

pub(crate) const SLUG_CLAIM: &str = "algorithm slug";
pub(crate) const DEFAULT_CLAIM: &str = "default algorithm";

/// The name that a client gives an algorithm: its id or its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlgorithmRef {
    Id(AlgorithmId),
    Slug(Slug),
}

impl AlgorithmRef {
    /// A UUID, else a slug.
    pub fn parse(text: &str) -> Result<Self, domain::TextError> {
        match text.parse::<Uuid>() {
            Ok(id) => Ok(Self::Id(AlgorithmId(id))),
            Err(_) => Ok(Self::Slug(Slug::parse(text)?)),
        }
    }
}

/// A new algorithm.
#[derive(Debug, Clone)]
pub struct DefineAlgorithm {
    pub slug: Slug,
    pub display_name: String,
    pub provider: String,
    pub config: serde_json::Value,
    pub credit_cost: Credits,
    pub cost: MicroUsd,
    pub is_default: bool,
}

impl Commands {
    /// Defines an algorithm under a slug that nobody else has.
    pub async fn define_algorithm(
        &self,
        mut context: CommandContext,
        new: DefineAlgorithm,
    ) -> Result<Done<AlgorithmId>, CommandError> {
        let at = clock::now();
        let algorithm_id = AlgorithmId(clock::derived_id(context.command_id, "algorithm"));
        // Algorithms belong to the house, whoever defines them.
        context.owner = None;
        let slug = new.slug.as_str().to_owned();
        let mut commands = vec![AlgorithmCommand::Define {
            definition: Definition {
                algorithm_id,
                slug: new.slug,
                display_name: new.display_name,
                provider: new.provider,
                config: new.config,
                credit_cost: new.credit_cost,
                cost: new.cost,
            },
            at,
        }];
        commands.extend(new.is_default.then_some(AlgorithmCommand::MakeDefault { at }));
        let mut unit = self
            .log
            .unit::<CommandError>(context)
            .create::<Algorithm>(algorithm_id, commands)
            .claim(Claim::take(SLUG_CLAIM, slug, algorithm_id.0));
        if new.is_default {
            unit = unit.claim(Claim::take(DEFAULT_CLAIM, "", algorithm_id.0));
        }
        outcome::commit(unit, &algorithm_id).await
    }

    /// The algorithm that a client names, if users may choose it.
    pub(crate) async fn active_algorithm(&self, named: &AlgorithmRef) -> Result<Definition, CommandError> {
        let not_found = CommandError::NotFound { what: ALGORITHM };
        let algorithm_id = match named {
            AlgorithmRef::Id(id) => *id,
            AlgorithmRef::Slug(slug) => {
                AlgorithmId(self.log.claimed_by(SLUG_CLAIM, slug.as_str()).await?.ok_or(not_found)?)
            }
        };
        match self.log.load::<Algorithm>(algorithm_id).await?.state {
            Algorithm::Active(definition) => Ok(definition),
            Algorithm::Inactive(definition) => {
                Err(CommandError::AlgorithmInactive { name: definition.display_name })
            }
            Algorithm::NotDefined => Err(CommandError::NotFound { what: ALGORITHM }),
        }
    }
}
