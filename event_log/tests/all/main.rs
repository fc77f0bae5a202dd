//! The log on a real Postgres: one server for all tests, a new database for each.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod ahead;
mod appending;
mod caching;
mod claims;
mod expired;
mod faults;
mod following;
mod idempotency;
mod jar;
mod keys;
mod peers;
mod presence;
mod recovering;
mod replicas;
mod sealing;
mod snapshots;
mod units;
mod verifying;
mod versions;
mod work;
mod world;
