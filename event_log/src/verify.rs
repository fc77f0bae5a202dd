//! Recomputes the chain: finds a changed, removed or inserted row.

use sqlx::PgPool;

use crate::chain::chain_of;
use crate::{Authenticator, LogError, Position, reader};

const PAGE_EVENTS: i64 = 1000;

/// The result of a verification, and the first fault, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    pub events: i64,
    pub head: Position,
    pub head_chain: Vec<u8>,
    pub fault: Option<String>,
}

/// A position and its chain value as somebody wrote them down earlier: `<position>:<hex>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub position: Position,
    pub chain: Vec<u8>,
}

/// The text is not of the form `<position>:<hex>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is <position>:<chain value in hex>")]
pub struct NotAnAnchor;

impl std::str::FromStr for Anchor {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Self, NotAnAnchor> {
        let (position, chain) = text.split_once(':').ok_or(NotAnAnchor)?;
        Ok(Self {
            position: position.parse().map_err(|_| NotAnAnchor)?,
            chain: hex::decode(chain).map_err(|_| NotAnAnchor)?,
        })
    }
}

/// What a log must hold beside a whole chain.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// In any order.
    pub anchors: Vec<Anchor>,
    /// Whoever has the log's key also finds events that the log did not write.
    pub authenticator: Option<Authenticator>,
}

/// Reads the whole log in pages and checks that positions are dense and every chain value follows. With
/// anchors it also finds a log whose end was cut off or written anew.
pub async fn verify(pool: &PgPool, expected: Expected) -> Result<VerifyReport, LogError> {
    verify_in_pages(pool, expected, PAGE_EVENTS).await
}

/// Like `verify`, by pages of so many events.
pub async fn verify_in_pages(
    pool: &PgPool,
    Expected { mut anchors, authenticator }: Expected,
    page_events: i64,
) -> Result<VerifyReport, LogError> {
    let identity = reader::identity(pool).await?;
    anchors.sort_by_key(|anchor| anchor.position);
    let mut anchors = anchors.into_iter().peekable();
    let (mut head, mut chain, mut events) = (identity.floor_position, identity.floor_chain, 0);
    while let Some(early) = anchors.next_if(|anchor| anchor.position <= head) {
        if (early.position, &early.chain) != (head, &chain) {
            let fault =
                format!("the log begins behind {head} and cannot tell what was at {}", early.position);
            return Ok(VerifyReport { events, head, head_chain: chain, fault: Some(fault) });
        }
    }
    loop {
        let page = reader::page(pool, head, page_events).await?;
        if page.is_empty() {
            let fault = anchors
                .next()
                .map(|anchor| format!("the log ends at {head}, before the anchor at {}", anchor.position));
            return Ok(VerifyReport { events, head, head_chain: chain, fault });
        }
        for event in page {
            let is_forged = authenticator.as_ref().is_some_and(|own| !own.is_authentic(&event));
            let mut fault = if event.position != head.next() {
                Some(format!("position {} follows {head}", event.position))
            } else if chain_of(&chain, &event).as_slice() != event.chain {
                Some(format!("the chain breaks at position {}", event.position))
            } else if is_forged {
                Some(format!("position {} was not written by this log", event.position))
            } else {
                None
            };
            while let Some(anchor) = anchors.next_if(|anchor| anchor.position == event.position) {
                if anchor.chain != event.chain {
                    fault = fault
                        .or_else(|| Some(format!("position {} is not what the anchor says", event.position)));
                }
            }
            if fault.is_some() {
                return Ok(VerifyReport { events, head, head_chain: chain, fault });
            }
            (head, chain, events) = (event.position, event.chain, events + 1);
        }
    }
}
