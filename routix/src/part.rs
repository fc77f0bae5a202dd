//! The parts of the background work, and their names on the command line.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use domain::reactions::Role;

/// A part of the background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Relay,
    Projections,
    /// A process manager.
    Process(Role),
    All,
}

impl Part {
    /// The parts one by one, without the word for all of them.
    pub fn each() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied().filter(|part| *part != Self::All)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Projections => "projections",
            Self::Process(role) => role.name(),
            Self::All => "all",
        }
    }
}

impl ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Self] {
        const PARTS: [Part; Role::ALL.len() + 3] = {
            let mut parts = [Part::All; Role::ALL.len() + 3];
            parts[0] = Part::Relay;
            parts[1] = Part::Projections;
            let mut n = 0;
            while n < Role::ALL.len() {
                parts[n + 2] = Part::Process(Role::ALL[n]);
                n += 1;
            }
            parts
        };
        &PARTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_manager_can_be_named_on_the_command_line() {
        let names: Vec<&str> = Part::value_variants().iter().map(|part| part.name()).collect();
        assert_eq!(
            names,
            ["relay", "projections", "assistant", "generation", "analysis", "timers", "cleanup", "all"]
        );
        assert_eq!(Part::from_str("timers", false), Ok(Part::Process(Role::Timers)));
        assert!(Part::from_str("jester", false).is_err());
    }

    #[test]
    fn the_parts_that_health_looks_for_are_those_of_the_command_line() {
        assert!(Part::each().map(Part::name).eq(api::background_parts()));
    }
}
