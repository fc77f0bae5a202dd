//! `routix erase`: a person is made unreadable, or everybody whom the kept receipts name is once more.

use std::process::ExitCode;

use anyhow::{Context, bail};
use api::App;
use domain::user::AskedBy;
use domain::{EmailAddress, UserId};
use event_log::{CommandContext, clock};
use uuid::Uuid;

use super::output;
use crate::assemble;
use crate::config::Config;
use crate::stack::Stack;

#[derive(Debug, clap::Args)]
pub(super) struct EraseArgs {
    /// The id or the email address of an account.
    #[arg(required_unless_present = "replay")]
    person: Option<String>,
    /// Erases everybody whom the kept receipts name and the database does not know to be erased: it was
    /// restored from before. Servers and workers do the same when they start.
    #[arg(long, conflicts_with = "person")]
    replay: bool,
}

pub(super) async fn run(config: Config, args: EraseArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::connect(&config, 0).await?;
    let (app, _) = assemble::app(&config, stack, false)?;
    let Some(person) = args.person else {
        let again = app.erasures().apply_kept().await?;
        output::line(&format!("{again} persons were erased again"));
        return Ok(ExitCode::SUCCESS);
    };
    let user_id = find(&app, &person).await?;
    let context =
        CommandContext::for_process("operator", user_id.0, clock::new_id(), Some(user_id.0), "erase");
    let done = app.erasures().erase(context, user_id, AskedBy::Operator).await?;
    output::line(&format!("{user_id} is erased, at position {}", done.position));
    Ok(ExitCode::SUCCESS)
}

async fn find(app: &App, person: &str) -> anyhow::Result<UserId> {
    if let Ok(id) = person.parse::<Uuid>() {
        return Ok(UserId(id));
    }
    let email = EmailAddress::parse(person).context("this is neither an id nor an email address")?;
    match app.commands().user_of_email(&email).await? {
        Some(user_id) => Ok(user_id),
        None => bail!("nobody has this email address"),
    }
}
