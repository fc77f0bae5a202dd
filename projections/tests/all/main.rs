//! The read side on the real stack: events that commands made, workers that project them, queries.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod examples;
mod freshness;
mod lagging;
mod orders;
mod parking;
mod people;
mod rebuild_pages;
mod rebuilding;
mod runtime;
mod search;
mod stack;
