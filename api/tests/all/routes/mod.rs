//! One file per group of endpoints.

mod auth;
mod elsewhere;
