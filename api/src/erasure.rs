//! Erased persons, in this process: receipts are kept apart from the log, what is remembered is dropped.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use commands::{CommandError, Done, ErasedPerson};
use domain::UserId;
use domain::user::AskedBy;
use event_log::erase::{ErasureReceipt, KeptReceipts, erased_persons};
use event_log::{CommandContext, LogError};
use uuid::Uuid;

use crate::app::App;

const BATCH_EVENTS: usize = 500;
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// Erases a person and keeps the receipt.
pub async fn erase(
    app: &App,
    context: CommandContext,
    user_id: UserId,
    asked_by: AskedBy,
) -> Result<Done<ErasedPerson>, CommandError> {
    let done = app.commands().erase_person(context, user_id, asked_by).await?;
    let receipt = ErasureReceipt { person: user_id.0, erased_at: done.value.erased_at, event_id: None };
    keep(app.config().kept_receipts(), receipt).await;
    Ok(done)
}

/// Brings receipts and log together, before anybody is served: whom the log knows to be erased gets a receipt,
/// and whom a receipt knows to be erased is erased, for the database may have been restored from before.
/// Returns how many were.
pub async fn apply_kept(app: &App) -> anyhow::Result<usize> {
    let receipts = app.config().kept_receipts();
    let known = erased_persons(app.log().pool()).await?;
    receipts.keep(&known).context("the receipts of erasure cannot be written")?;
    let kept = receipts.all().context("the receipts of erasure cannot be read")?;
    let done: BTreeSet<Uuid> =
        known.iter().filter(|erased| erased.event_id.is_some()).map(|erased| erased.person).collect();
    let wanted: BTreeSet<Uuid> = kept.iter().map(|receipt| receipt.person).collect();
    let mut again = 0;
    for person in wanted.difference(&done) {
        app.commands().erase_again(UserId(*person)).await?;
        again += 1;
    }
    if again > 0 {
        tracing::warn!(persons = again, "persons whom kept receipts know to be erased were erased again");
    }
    Ok(again)
}

/// Drops what this process remembers of whoever is erased, wherever that was asked for, and keeps the receipt.
/// Runs until the task is dropped.
pub async fn heed(app: App, start: i64) {
    let mut follower = app.feed().follow(start);
    loop {
        match follower.next(BATCH_EVENTS).await {
            Ok(events) => {
                for event in events.iter().filter(|event| event.event_type == "PersonErased") {
                    let Some(person) = event.owner_id else { continue };
                    app.log().forget_person(person);
                    let (erased_at, event_id) = (event.recorded_at, Some(event.event_id));
                    keep(app.config().kept_receipts(), ErasureReceipt { person, erased_at, event_id }).await;
                }
            }
            // The log has become another one: what is behind its head, or was seen, is not looked for again.
            Err(LogError::Replaced { .. }) => match app.log().head().await {
                Ok(head) => follower.rewind(head.min(follower.position())),
                Err(_) => tokio::time::sleep(RETRY_DELAY).await,
            },
            Err(error) => {
                tracing::warn!(%error, "erasures are looked for again");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// A receipt that cannot be written now is written at the next start: the log knows it.
async fn keep(receipts: KeptReceipts, new: ErasureReceipt) {
    match tokio::task::spawn_blocking(move || receipts.keep(&[new])).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "a receipt of erasure was not written"),
        Err(error) => tracing::error!(%error, "a receipt of erasure was not written"),
    }
}
