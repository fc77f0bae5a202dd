//! Recomputes the chain: finds a changed, removed or inserted row.

use sqlx::PgPool;

use crate::chain::chain_of;
use crate::{LogError, Position, reader};

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

/// Reads the whole log in pages and checks that positions are dense and every chain value follows. With an
/// anchor it also finds a log whose end was cut off or written anew.
pub async fn verify(pool: &PgPool, anchor: Option<Anchor>) -> Result<VerifyReport, LogError> {
    verify_in_pages(pool, anchor, PAGE_EVENTS).await
}

/// Like `verify`, by pages of so many events.
pub async fn verify_in_pages(
    pool: &PgPool,
    anchor: Option<Anchor>,
    page_events: i64,
) -> Result<VerifyReport, LogError> {
    let identity = reader::identity(pool).await?;
    let mut anchor = anchor;
    let (floor, floor_chain) = (identity.floor_position, &identity.floor_chain);
    if let Some(early) = anchor.take_if(|anchor| anchor.position <= floor)
        && (early.position, &early.chain) != (floor, floor_chain)
    {
        let fault = format!("the log begins behind {floor} and cannot tell what was at {}", early.position);
        return Ok(VerifyReport {
            events: 0,
            head: floor,
            head_chain: identity.floor_chain,
            fault: Some(fault),
        });
    }
    let (mut head, mut chain, mut events) = (identity.floor_position, identity.floor_chain, 0);
    loop {
        let page = reader::page(pool, head, page_events).await?;
        if page.is_empty() {
            let fault = anchor
                .filter(|anchor| anchor.position > head)
                .map(|anchor| format!("the log ends at {head}, before the anchor at {}", anchor.position));
            return Ok(VerifyReport { events, head, head_chain: chain, fault });
        }
        for event in page {
            let expected = chain_of(&chain, &event);
            let fault = if event.position != head.next() {
                Some(format!("position {} follows {head}", event.position))
            } else if expected.as_slice() != event.chain {
                Some(format!("the chain breaks at position {}", event.position))
            } else if anchor.as_ref().is_some_and(|a| a.position == event.position && a.chain != event.chain)
            {
                Some(format!("position {} is not what the anchor says", event.position))
            } else {
                None
            };
            if fault.is_some() {
                return Ok(VerifyReport { events, head, head_chain: chain, fault });
            }
            (head, chain, events) = (event.position, event.chain, events + 1);
        }
    }
}
