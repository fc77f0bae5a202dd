//! The program `routix`: the command line, and the processes that put the rooms together.
//!
//! Owns configuration, the embedded servers of `up`, telemetry, and which tasks run where. Refuses everything that a
//! request or an event needs: that is in the rooms.

mod assemble;
mod cli;
mod config;
mod demo;
mod part;
mod processes;
mod read_side;
mod secrets;
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
