//! Every integration test of Routix in one binary, on real Postgres and real NATS, against the real program.
//!
//! A test starts its own processes on its own database and its own NATS server; only the Postgres server is
//! shared. Every end-to-end test ends with the checker of the invariants.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, unused_imports, reason = "the fault suite uses the rest of it")]
mod support;

mod auth;
mod bad_input;
mod chat_flow;
mod cli;
mod credits;
mod documents;
mod erasure;
mod faults;
mod history;
mod keys;
mod languages;
mod live;
mod metrics;
mod nats_cluster;
mod newer_work;
mod otlp;
mod read_side;
mod rebuild;
mod relay_faults;
mod restored_log;
mod rolling;
mod security;
mod several_servers;
mod structure;
mod tampered;
mod templates;
mod tracing;
mod verify;
