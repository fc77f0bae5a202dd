//! The append-only log in Postgres, and what everyone needs to follow it.
//!
//! Owns: append (group commit, dense positions), load (cache, snapshot, stream), receipts, claims, sealing of
//! personal data, the chain; leases, checkpoints and work rows. Generic over aggregates: it does not know the
//! domain. Refuses: to change or remove an event, to skip a position, to refuse a command on stale state.

mod anchors;
mod append;
mod authentic;
mod barrier;
mod cache;
mod chain;
#[cfg(test)]
mod chain_tests;
mod claims;
mod connections;
mod error;
mod event;
mod guard;
mod keyed_locks;
mod load;
mod log;
mod numbers;
mod reader;
mod readers;
mod receipts;
mod recover;
mod rewound;
mod seal;
mod unit;
mod upcast;
mod verify;
mod witness;

pub mod checkpoints;
pub mod clock;
pub mod erase;
pub mod expired;
pub mod keys;
pub mod leases;
pub mod objects;
pub mod presence;
pub mod trace;
pub mod work;

pub use anchors::{AnchorFolder, AnchorKey, AnchorPublicKey, AnchorStanding, LogHead, NotAKey};
pub use append::AppendError;
pub use authentic::{AuthenticationValue, Authenticator, Forged, Provenance};
pub use chain::{Chain, EventDigest, chain_of};
pub use claims::Claim;
pub use connections::{Connections, PoolUse, TooFewConnections};
pub use error::LogError;
pub use event::{Actor, CommandContext, EventMetadata, OpenedEvent, ReceiptLife, RecordedEvent};
pub use guard::Standing;
pub use log::{EventLog, LogOptions, connect, migrate};
pub use numbers::{Epoch, Position, Span, Version};
pub use reader::{Interest, LogIdentity, LogReader, StreamName};
pub use readers::{ReadConnection, Readers};
pub use receipts::RECEIPT_DAYS;
pub use recover::{RecoverError, Recovered, Recovery, start_new_log};
pub use rewound::Rewound;
pub use seal::{LogKeys, MasterKey, Vault};
pub use unit::{Committed, Loaded, Unit};
pub use upcast::{EventForms, Upcaster};
pub use verify::{Anchor, Expected, NotAnAnchor, VerifyReport, verify, verify_in_pages};
pub use witness::{Held, Witness, WitnessAway};
