//! Erasures whose receipts are kept apart from the log, so that a restored backup brings nobody back.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use domain::UserId;
use domain::user::AskedBy;
use event_log::erase::{ErasureReceipt, KeptReceipts, erased_persons};
use event_log::{CommandContext, LogError, Position};
use nats::Feed;
use uuid::Uuid;

use crate::{CommandError, Commands, Done, ErasedPerson};

const BATCH_EVENTS: usize = 500;
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// Receipts and log could not be brought together.
#[derive(thiserror::Error, Debug)]
pub enum KeptErasuresError {
    #[error("the receipts of erasure cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("the receipts of erasure cannot be written")]
    Unwritable(#[source] io::Error),
    #[error(transparent)]
    Log(#[from] LogError),
}

/// The erasures of this process and their receipts. Cheap to clone.
#[derive(Clone)]
pub struct KeptErasures {
    commands: Commands,
    receipts: KeptReceipts,
}

impl KeptErasures {
    pub fn new(commands: Commands, receipts: KeptReceipts) -> Self {
        Self { commands, receipts }
    }

    /// Erases a person and keeps the receipt.
    ///
    /// # Errors
    /// `UserError::NotRegistered` when nobody has this id.
    pub async fn erase(
        &self,
        context: CommandContext,
        user_id: UserId,
        asked_by: AskedBy,
    ) -> Result<Done<ErasedPerson>, CommandError> {
        let done = self.commands.erase_person(context, user_id, asked_by).await?;
        self.keep(ErasureReceipt { person: user_id.0, erased_at: done.value.erased_at, event_id: None })
            .await;
        Ok(done)
    }

    /// Brings receipts and log together, before anybody is served: a person whom the log knows to be erased gets a
    /// receipt, and a person whom a receipt knows to be erased is erased, for the database may have been restored
    /// from before. Returns the number of persons who were erased again.
    pub async fn apply_kept(&self) -> Result<usize, KeptErasuresError> {
        let known = erased_persons(self.commands.log.pool()).await?;
        self.receipts.keep(&known).map_err(KeptErasuresError::Unwritable)?;
        let kept = self.receipts.all().map_err(KeptErasuresError::Unreadable)?;
        let done: BTreeSet<Uuid> =
            known.iter().filter(|erased| erased.event_id.is_some()).map(|erased| erased.person).collect();
        let wanted: BTreeSet<Uuid> = kept.iter().map(|receipt| receipt.person).collect();
        let mut again = 0;
        for person in wanted.difference(&done) {
            self.commands.erase_again(UserId(*person)).await?;
            again += 1;
        }
        if again > 0 {
            tracing::warn!(persons = again, "persons whom kept receipts know to be erased were erased again");
        }
        Ok(again)
    }

    /// Drops what this process remembers of every person who is erased, wherever that was asked for, and keeps the
    /// receipt. Runs until the task is dropped.
    pub async fn heed(self, feed: Feed, start: Position) {
        let log = &self.commands.log;
        let mut follower = feed.follow(start);
        loop {
            match follower.next(BATCH_EVENTS).await {
                Ok(events) => {
                    for event in events.iter().filter(|event| event.event_type == "PersonErased") {
                        let Some(person) = event.owner_id else { continue };
                        log.forget_person(person);
                        let (erased_at, event_id) = (event.recorded_at, Some(event.event_id));
                        self.keep(ErasureReceipt { person, erased_at, event_id }).await;
                    }
                }
                // The log has become another one: what is behind its head, or was seen, is not looked for again.
                Err(LogError::Replaced { .. }) => match log.head().await {
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
    async fn keep(&self, new: ErasureReceipt) {
        let receipts = self.receipts.clone();
        match tokio::task::spawn_blocking(move || receipts.keep(&[new])).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a receipt of erasure was not written"),
            Err(error) => tracing::error!(%error, "a receipt of erasure was not written"),
        }
    }
}
