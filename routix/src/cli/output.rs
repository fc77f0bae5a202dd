//! The output of the command line. No other place writes to standard output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::net::SocketAddr;
use std::process::ExitCode;

use commands::Credentials;

use crate::config::Config;

pub fn line(text: &str) {
    println!("{text}");
}

pub fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// Tells a person who has just started everything where to go.
pub fn ready(config: &Config, address: SocketAddr, credentials: &Credentials) {
    let url = format!("http://{address}");
    let file = config.data.join("credentials.json");
    println!(
        "\n  Routix is ready.\n\n  API    {url}\n  Docs   {url}/docs\n  Admin  {}  {}\n  Demo   {}  {}\n         (kept in {})\n\n  Try next:",
        credentials.admin.email,
        credentials.admin.password,
        credentials.demo.email,
        credentials.demo.password,
        file.display(),
    );
    let server = if config.listen.port() == 8080 { String::new() } else { format!(" --server {url}") };
    println!("    cargo run -- demo{server} \"Create gaming thumbnail with explosions\"");
    println!("    curl {url}/api/v1/algorithms");
    println!(
        "    cargo run -- demo{server} \"Calm cooking video about pasta\" --algorithm routix_pro --out pasta.png\n"
    );
}
