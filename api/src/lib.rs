//! HTTP: routes, authentication, live streams, OpenAPI.
//!
//! Owns the only place where errors become answers. Refuses to decide anything: handlers parse, call one
//! function of `commands` or `projections`, and render. Refuses to start anything either: the program puts the
//! parts of an [`App`] together and serves it.

mod auth;
mod client_ip;
mod document;
mod door;
mod extract;
mod health;
mod limits;
mod live;
mod problem;
mod reply;
mod request_count;
mod request_log;
mod routes;
mod security_headers;
mod service;
mod state;
mod uploads;

pub use auth::TokenKeys;
pub use door::Limits as ConnectionLimits;
pub use health::{Health, background_parts, unattended};
pub use limits::Limits;
pub use live::Router;
pub use service::{openapi_json, serve, serve_metrics, service};
pub use state::{App, Parts, Settings};
