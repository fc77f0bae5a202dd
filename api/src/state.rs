//! The state of the service: everything a handler may need, put together by the program.
//!
//! Refuses to know handlers and to read configuration: parts arrive ready to use.

use std::sync::Arc;
use std::time::Duration;

use commands::{Commands, KeptErasures};
use event_log::EventLog;
use metrics_exporter_prometheus::PrometheusHandle;
use nats::Bus;
use projections::Reader;
use providers::Providers;

use crate::auth::TokenKeys;
use crate::door;
use crate::health::Health;
use crate::limits::Limits;
use crate::live;
use crate::uploads::Uploads;

/// Numbers and names of HTTP that an operator may change.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Web origins that may call the API from a browser.
    pub allowed_origins: Vec<String>,
    /// Proxies in front of the server that may be believed about the client's address.
    pub trusted_proxies: usize,
    /// Connections that may be open.
    pub connections: door::Limits,
    /// Sockets that one user may have open.
    pub sockets_per_user: usize,
    /// A projection may stand still for so long, with events waiting, until `/health` is red.
    pub stalled_after: Duration,
}

/// The parts that a service is made of.
pub struct Parts {
    pub settings: Settings,
    pub log: EventLog,
    pub bus: Bus,
    pub commands: Commands,
    pub erasures: KeptErasures,
    pub reader: Reader,
    pub providers: Providers,
    pub tokens: TokenKeys,
    pub limits: Limits,
    /// The counters and histograms of this process.
    pub metrics: PrometheusHandle,
}

/// Everything a handler may need. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    router: live::Router,
    health: Health,
    uploads: Uploads,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            router: live::Router::default(),
            health: Health::default(),
            uploads: Uploads::default(),
        }))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub fn log(&self) -> &EventLog {
        &self.0.parts.log
    }

    pub fn bus(&self) -> &Bus {
        &self.0.parts.bus
    }

    pub fn commands(&self) -> &Commands {
        &self.0.parts.commands
    }

    pub fn erasures(&self) -> &KeptErasures {
        &self.0.parts.erasures
    }

    pub fn reader(&self) -> &Reader {
        &self.0.parts.reader
    }

    pub fn providers(&self) -> &Providers {
        &self.0.parts.providers
    }

    pub fn tokens(&self) -> &TokenKeys {
        &self.0.parts.tokens
    }

    pub fn limits(&self) -> &Limits {
        &self.0.parts.limits
    }

    pub fn metrics(&self) -> &PrometheusHandle {
        &self.0.parts.metrics
    }

    /// The live connections of this process.
    pub fn router(&self) -> &live::Router {
        &self.0.router
    }

    /// The uploads of this process.
    pub fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    pub fn health(&self) -> &Health {
        &self.0.health
    }
}
