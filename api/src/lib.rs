//! The program `routix`: HTTP routes, authentication, live streams, OpenAPI, and the processes that put the
//! rooms together.
//!
//! Owns the only place where errors become answers. Refuses to decide anything: handlers parse, call one
//! function of `commands` or `projections`, and render.

mod app;
mod auth;
mod cli;
mod client_ip;
mod config;
mod demo;
mod erasure;
mod extract;
mod health;
mod limits;
mod live;
mod metrics;
mod part;
mod problem;
mod processes;
mod read_side;
mod reply;
mod request_log;
mod routes;
mod stack;
mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

/// Every command allocates in one thread what another one frees, which the system's allocator does slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the program with arguments of the caller's choice; the first one is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run(arguments)
}

/// The OpenAPI document of all routes, as JSON.
pub fn openapi_json() -> String {
    app::openapi().to_json().unwrap_or_default()
}
