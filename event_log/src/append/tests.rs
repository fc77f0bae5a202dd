//! Batching rules.
