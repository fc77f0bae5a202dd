//! What holds for the domain as a whole: bounded text, personal values, and every aggregate at random.

mod commands;
pub(crate) mod examples;
mod ledger;
mod personal;
mod reactions;
mod replay;
mod samples;
mod text;
