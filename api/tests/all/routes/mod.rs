//! Endpoints, a file for each group.

mod auth;
mod elsewhere;
mod every;
mod history;
mod work;
