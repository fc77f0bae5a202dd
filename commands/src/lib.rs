//! The write side: one function per command, and the process managers that send commands by themselves.
//!
//! A function loads what it needs, lets the aggregates decide and appends, all in one unit. Refuses to read
//! read models for a decision; what the pipeline needs from the read side comes through the port
//! [`ReadSide`]. One file per aggregate, under the aggregate's own noun.

mod algorithm;
mod asset;
mod audit_trail;
mod bootstrap;
mod claims;
mod conversation;
mod credit_ledger;
mod erasure;
mod error;
mod generation_request;
mod kept_erasures;
mod objects;
mod outcome;
mod passwords;
mod read_side;
mod session;
mod settings;
mod template;
mod user;

pub mod process;

pub use algorithm::{AlgorithmRef, DefineAlgorithm};
pub use asset::{UploadAsset, UploadedAsset};
pub use audit_trail::RequestedRetry;
pub use bootstrap::{Credentials, Login};
pub use claims::{EventClaims, claims_of};
pub use conversation::{PostedMessage, RenamedConversation, StartedConversation};
pub use credit_ledger::GrantedCredits;
pub use erasure::ErasedPerson;
pub use error::CommandError;
pub use generation_request::{CreateGeneration, CreatedGeneration};
pub use kept_erasures::{KeptErasures, KeptErasuresError};
pub use outcome::Done;
pub use read_side::{ActiveAlgorithm, FoundTemplate, ReadSide, ReadSideError, TemplateQuery};
pub use session::SessionTokens;
pub use settings::Settings;
pub use template::{UploadTemplate, UploadedTemplate};
pub use user::{Authenticated, RegisterUser, RegisteredUser, StrongerHash, actor_of};

use std::sync::Arc;

use event_log::EventLog;
use nats::Bus;
use providers::Providers;
use tokio::sync::Semaphore;

/// Pictures that are decoded at once.
const DECODING_MAX: usize = 2;

/// Everything a command may need. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    log: EventLog,
    bus: Bus,
    providers: Providers,
    read_side: Arc<dyn ReadSide>,
    settings: Arc<Settings>,
    passwords: passwords::Passwords,
    /// Places for decoding untrusted pictures.
    decoding: Arc<Semaphore>,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commands").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Commands {
    pub fn new(
        log: EventLog,
        bus: Bus,
        providers: Providers,
        read_side: Arc<dyn ReadSide>,
        settings: Settings,
    ) -> Self {
        Self {
            log,
            bus,
            providers,
            read_side,
            settings: Arc::new(settings),
            passwords: passwords::Passwords::new(),
            decoding: Arc::new(Semaphore::new(DECODING_MAX)),
        }
    }

    pub fn log(&self) -> &EventLog {
        &self.log
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
