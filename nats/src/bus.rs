//! The connection to NATS that a process shares.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, ServerAddr};

use crate::BusError;
use crate::feed::handover::Handover;

/// The settings of the stream.
#[derive(Debug, Clone)]
pub struct BusOptions {
    pub replicas: usize,
    /// The stream keeps events so long. The log keeps them for ever.
    pub retention: Duration,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self { replicas: 1, retention: Duration::from_hours(24 * 30) }
    }
}

/// A connection that comes back by itself. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) options: BusOptions,
    pub(crate) handover: Handover,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Bus {
    /// Starts to connect to a server, or to one of several that are separated by commas. A server that is
    /// away is no error: the connection is made when it is back.
    pub async fn connect(url: &str, options: BusOptions) -> Result<Self, BusError> {
        let servers = servers(url)?;
        let connect = match credentials(&servers) {
            Some((user, password)) => ConnectOptions::with_user_and_password(user, password),
            None => ConnectOptions::new(),
        };
        let client = connect
            .name("routix")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|attempts| Duration::from_millis((attempts as u64 * 50).min(1000)))
            .connect(servers)
            .await
            .map_err(BusError::unavailable)?;
        let jetstream =
            jetstream::ContextBuilder::new().timeout(Duration::from_secs(3)).build(client.clone());
        Ok(Self { client, jetstream, options, handover: Handover::new() })
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Sends what is still buffered.
    pub async fn flush(&self) -> Result<(), BusError> {
        self.client.flush().await.map_err(BusError::unavailable)
    }
}

fn servers(urls: &str) -> Result<Vec<ServerAddr>, BusError> {
    urls.split(',').map(|url| url.trim().parse().map_err(BusError::unavailable)).collect()
}

/// User and password of the first address that has them: servers of one cluster share their accounts. The
/// client library reads them only from its options.
fn credentials(servers: &[ServerAddr]) -> Option<(String, String)> {
    servers.iter().find_map(|server| {
        Some((server.username()?.to_owned(), server.password().unwrap_or_default().to_owned()))
    })
}
