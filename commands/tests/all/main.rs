//! Every command on a real log, without HTTP: five questions each, as far as they apply.
//!
//! A command has a module of its own, in the file of its aggregate. The first word of a test's name is the question:
//! `happy` it does what it is for, `refused` it says no and stores nothing, `repeated` the same id again has one effect,
//! `stale` a version that is gone is refused, `foreign` what belongs to somebody else is as good as absent.
//! `questions` sees to it that none is left out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod algorithm;
mod ask;
mod asset;
mod audit_trail;
mod conversation;
mod credit_ledger;
mod erasure;
mod generation_request;
mod parking;
mod process;
mod questions;
mod session;
mod template;
mod user;
