//! Rules of the domain as a whole: bounded text, personal values, and every aggregate at random.

mod amounts;
mod commands;
pub(crate) mod examples;
mod language;
mod ledger;
mod lines;
mod personal;
mod reactions;
mod replay;
mod samples;
mod stage;
mod text;
