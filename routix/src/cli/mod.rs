//! The command line.

mod cleanup;
mod erase;
mod keys;
mod log;
mod output;
mod rebuild;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use commands::Login;
use domain::user::Role;
use providers::ImageGenerator;

use crate::assemble;
use crate::config::{Config, Generators};
use crate::demo::{self, DemoArgs};
use crate::part::Part;
use crate::processes::{self, Tasks};
use crate::stack::{self, Stack};
use crate::system;
use crate::telemetry::{self, metrics};

/// Routix turns a chat message into a finished thumbnail.
#[derive(Debug, Parser)]
#[command(name = "routix", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process, on servers of its own where none are given (the default).
    Up,
    /// The HTTP API only.
    Serve,
    /// Background work only.
    Work {
        /// Which work; several are separated by commas.
        #[arg(long = "role", value_enum, value_delimiter = ',', default_value = "all")]
        roles: Vec<Part>,
    },
    /// Brings the database schema up to date and ends.
    Migrate,
    /// Builds a read model anew from the log, compares it with the live one and swaps the two. Everything
    /// goes on meanwhile. Exit code 3 when the rows differ.
    Rebuild(rebuild::RebuildArgs),
    /// Questions to the log, and mending it.
    Log {
        #[command(subcommand)]
        question: log::LogQuestion,
    },
    /// Removes what is past its end: receipts of commands, and work that was done a while ago.
    Cleanup(cleanup::CleanupArgs),
    /// Makes everything of a person unreadable, for good, in the log too.
    Erase(erase::EraseArgs),
    /// The keys that personal data is sealed with: a copy apart from the log, and the change of the secret key.
    Keys {
        #[command(subcommand)]
        action: keys::KeysAction,
    },
    /// Accounts of admins.
    Admin {
        #[command(subcommand)]
        action: AdminAction,
    },
    /// Orders a thumbnail from a running server and saves it.
    Demo(DemoArgs),
}

#[derive(Debug, Subcommand)]
enum AdminAction {
    /// Registers an admin.
    Create {
        #[arg(long)]
        email: String,
        /// At least 8 characters.
        #[arg(long, env = "ROUTIX_ADMIN_PASSWORD", hide_env_values = true)]
        password: String,
    },
}

/// Parses the arguments and runs the command.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    generators: Vec<Arc<dyn ImageGenerator>>,
) -> ExitCode {
    system::keep_new_files_private();
    let mut cli = Cli::parse_from(arguments);
    cli.config.generators = Generators(generators);
    // HTTP clients take the process's cryptography for TLS. Refused only where some is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&error.into()),
    };
    let quiet = matches!(cli.command, Some(Command::Demo(_)));
    let telemetry = match telemetry::start(&cli.config, quiet, runtime.handle()) {
        Ok(telemetry) => telemetry,
        Err(error) => return output::fail(&error),
    };
    system::raise_descriptors();
    let result = match metrics::install() {
        Ok(_) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(error),
    };
    telemetry.end();
    runtime.shutdown_timeout(Duration::from_secs(1));
    match result {
        Ok(code) => code,
        Err(error) => output::fail(&error),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = cli.config;
    match cli.command.unwrap_or(Command::Up) {
        Command::Up => up(config).await,
        Command::Serve => serve(config).await,
        Command::Work { roles } => work(config, &roles).await,
        Command::Migrate => {
            let (pool, _) = stack::database(&config, 0).await?;
            event_log::migrate(&pool).await?;
            output::line("the schema is up to date");
            Ok(ExitCode::SUCCESS)
        }
        Command::Rebuild(args) => rebuild::run(&config, &args).await,
        Command::Log { question } => log::run(config, question).await,
        Command::Admin { action: AdminAction::Create { email, password } } => {
            create_admin(config, Login { email, password }).await
        }
        Command::Cleanup(args) => cleanup::run(&config, &args).await,
        Command::Erase(args) => erase::run(config, args).await,
        Command::Keys { action } => keys::run(&config, action).await,
        Command::Demo(args) => demo::run(&config, &args).await,
    }
}

/// Runs until somebody asks the process to end, or one of its tasks ends by itself. Whoever asks twice does
/// not want to wait for what was begun.
async fn until_asked(mut tasks: Tasks) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        error = tasks.first_to_end() => return Err(error),
    }
    tokio::select! {
        () = tasks.drain() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn up(mut config: Config) -> anyhow::Result<ExitCode> {
    let listener = processes::listen(&config).await?;
    let servers = stack::embed(&mut config).await?;
    let started = start_up(config, listener).await;
    let result = match started {
        Ok(tasks) => until_asked(tasks).await,
        Err(error) => Err(error),
    };
    tokio::task::spawn_blocking(move || servers.stop()).await?;
    result.map(|()| ExitCode::SUCCESS)
}

async fn start_up(config: Config, listener: tokio::net::TcpListener) -> anyhow::Result<Tasks> {
    let address = listener.local_addr()?;
    let stack = Stack::connect(&config, processes::connections_of(&[Part::All])).await?;
    let limited = config.rate_limits.unwrap_or(false);
    let mut tasks = Tasks::of(assemble::app(&config, stack, limited)?);
    tasks.heed_erasures().await?;
    tasks.work(&config, &[Part::All]);
    tasks.app().commands().define_starter_algorithms().await?;
    let credentials = processes::accounts(tasks.app(), &config).await?;
    tasks.serve(listener).await?;
    output::ready(&config, address, &credentials);
    tasks.stock_library();
    Ok(tasks)
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let listener = processes::listen(&config).await?;
    let address = listener.local_addr()?;
    let stack = Stack::connect(&config, 0).await?;
    let limited = config.rate_limits.unwrap_or(true);
    let mut tasks = Tasks::of(assemble::app(&config, stack, limited)?);
    tasks.heed_erasures().await?;
    tasks.offer_algorithms().await?;
    tasks.serve(listener).await?;
    tasks.warn_of_missing_parts();
    output::line(&format!("ready: serving on http://{address}"));
    until_asked(tasks).await?;
    Ok(ExitCode::SUCCESS)
}

async fn work(config: Config, parts: &[Part]) -> anyhow::Result<ExitCode> {
    let stack = Stack::connect(&config, processes::connections_of(parts)).await?;
    let mut tasks = Tasks::of(assemble::app(&config, stack, false)?);
    tasks.heed_erasures().await?;
    tasks.work(&config, parts);
    tasks.serve_metrics(&config).await?;
    tasks.warn_of_missing_parts();
    let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
    output::line(&format!("ready: working as {}", names.join(", ")));
    until_asked(tasks).await?;
    Ok(ExitCode::SUCCESS)
}

async fn create_admin(config: Config, login: Login) -> anyhow::Result<ExitCode> {
    let stack = Stack::connect(&config, 0).await?;
    let (app, _) = assemble::app(&config, stack, false)?;
    if app.commands().ensure_account(&login, "Admin", Role::Admin).await? {
        output::line(&format!("{} is an admin now", login.email));
        Ok(ExitCode::SUCCESS)
    } else {
        anyhow::bail!("{} is registered already", login.email)
    }
}
