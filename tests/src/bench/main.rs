//! Measures Routix beside its peers, on one machine, in one run: `cargo run --release -p tests --bin bench --
//! <case>`. Prints a table and JSON lines; `BENCHMARKS.md` keeps the results. `compare <commit> [case...]` in place of
//! a case takes turns with the program of another commit.
//!
//! Everything is on this machine: the load, Postgres with `fsync` on, NATS, the workers.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod append;
mod compare;
mod drive;
mod effort;
mod fan_out;
mod footprint;
mod hot_stream;
mod http;
mod http_create;
mod lag;
mod peer_http;
mod peers;
mod rebuild;
mod report;
mod search;
mod service;
mod stack;
mod writers;

use clap::{Parser, ValueEnum};

use effort::Effort;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    Append,
    AppendUnderLongRead,
    HotStream,
    HttpCommands,
    HttpQueries,
    HttpCreate,
    Rebuild,
    Lag,
    FanOut,
    Search,
    Footprint,
}

#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[arg(value_enum)]
    case: Case,
    #[command(flatten)]
    effort: Effort,
}

fn main() {
    // A worker process of a case is this program again.
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(writers::COMMAND) => return writers::main(&arguments[2..]),
        Some(service::COMMAND) => return service::main(&arguments[2..]),
        Some(peer_http::COMMAND) => return peer_http::main(&arguments[2..]),
        Some("compare") => {
            let [_, _, commit, only @ ..] = arguments.as_slice() else {
                panic!("compare <commit> [case...]")
            };
            return compare::run(commit, only);
        }
        _ => {}
    }
    let Arguments { case, effort } = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        match case {
            Case::Append => append::run(&effort).await,
            Case::AppendUnderLongRead => append::under_long_read(&effort).await,
            Case::HotStream => hot_stream::run(&effort).await,
            Case::HttpCommands => http::commands(&effort).await,
            Case::HttpQueries => http::queries(&effort).await,
            Case::HttpCreate => http_create::run(&effort).await,
            Case::Rebuild => rebuild::run(&effort).await,
            Case::Lag => lag::run(&effort).await,
            Case::FanOut => fan_out::run(&effort).await,
            Case::Search => search::run(&effort).await,
            Case::Footprint => footprint::run(&effort).await,
        }
    });
    report.print();
}
