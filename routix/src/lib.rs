//! The program `routix`: the command line, and the processes that put the rooms together.
//!
//! Owns configuration, the embedded servers of `up`, telemetry, and which tasks run where. Refuses everything that a
//! request or an event needs: that is in the rooms.

mod anchors;
mod assemble;
mod cli;
mod config;
mod demo;
mod part;
mod presence;
mod processes;
mod read_side;
mod secrets;
mod stack;
mod system;
mod telemetry;

pub use read_side::ProjectedReadSide;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use providers::ImageGenerator;

/// Every command allocates in one thread what another one frees, which the system's allocator does slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the program with arguments of the caller's choice; the first one is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_with(arguments, vec![])
}

/// Runs the program with generators of pictures beside the built-in ones. One of the same name replaces a built-in one.
pub fn run_with(
    arguments: impl IntoIterator<Item = OsString>,
    generators: Vec<Arc<dyn ImageGenerator>>,
) -> ExitCode {
    cli::run(arguments, generators)
}
