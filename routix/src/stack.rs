//! The ground of every process: database, NATS, secret, log and bus. `up` starts the missing parts.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use embedded::{Nats, Options, Postgres};
use event_log::{Connections, EventForms, EventLog, LogError, LogKeys, LogOptions};
use nats::{Bus, BusOptions};

use crate::config::Config;
use crate::secrets::{kept_secret, master_key};
use crate::telemetry;

/// The servers that this process started; they end with it.
#[derive(Debug, Default)]
pub struct Embedded {
    postgres: Option<Postgres>,
    nats: Option<Nats>,
}

impl Embedded {
    /// Stops what was started, in order. Blocks.
    pub fn stop(mut self) {
        // A server that does not stop in time is ended when the handle is dropped.
        if let Some(nats) = &mut self.nats {
            let _ = nats.stop();
        }
        if let Some(postgres) = &mut self.postgres {
            let _ = postgres.stop();
        }
    }
}

/// The connections of a process.
#[derive(Debug, Clone)]
pub struct Stack {
    pub log: EventLog,
    pub bus: Bus,
    pub keys: LogKeys,
}

/// Starts the embedded servers that no address was given for, and fills in the addresses and the secret.
pub async fn embed(config: &mut Config) -> anyhow::Result<Embedded> {
    fs::create_dir_all(&config.data)
        .with_context(|| format!("the data folder {} cannot be made", config.data.display()))?;
    let options = Options { data_dir: config.data.clone(), durable: true };
    let (need_postgres, need_nats) = (config.database_url.is_none(), config.nats_url.is_none());
    let mut servers = Embedded::default();
    let postgres_options = options.clone();
    let postgres = tokio::task::spawn_blocking(move || {
        need_postgres.then(|| Postgres::start(&postgres_options)).transpose()
    });
    let nats = tokio::task::spawn_blocking(move || need_nats.then(|| Nats::start(&options)).transpose());
    servers.postgres = postgres.await??;
    servers.nats = nats.await??;
    if let Some(postgres) = &servers.postgres {
        config.database_url = Some(postgres.url());
    }
    if let Some(nats) = &servers.nats {
        config.nats_url = Some(nats.url());
    }
    if config.secret_key.is_none() {
        config.secret_key = Some(kept_secret(&config.data.join("secret.key"))?);
    }
    Ok(servers)
}

/// Connects to the database, waiting a little for one that is just starting. `apart` is the number of connections that
/// the process opens beside its pools.
pub async fn database(config: &Config, apart: u32) -> anyhow::Result<(sqlx::PgPool, LogOptions)> {
    const ATTEMPTS: u32 = 50;
    let Some(url) = &config.database_url else {
        bail!("DATABASE_URL is missing: only `routix up` starts a database of its own");
    };
    let connections = Connections::divide(config.database_connections, apart)
        .context("ROUTIX_DATABASE_CONNECTIONS is the number of all connections of a process")?;
    let options = LogOptions {
        connections,
        event_forms: event_forms()?,
        traceparent: telemetry::traceparent,
        ..LogOptions::default()
    };
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match event_log::connect(url, &options).await {
            Ok(pool) => return Ok((pool, options)),
            Err(LogError::Unavailable(error)) => last = Some(error),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(last.map_or_else(|| anyhow::anyhow!("no attempt was made"), Into::into))
        .context("the database cannot be reached")
}

/// The stored forms of the domain, as the log takes them.
fn event_forms() -> Result<EventForms, LogError> {
    domain::stored_forms().iter().try_fold(EventForms::default(), |known, forms| {
        known.with(forms.aggregate_type, forms.snapshot_form, forms.versions, forms.upcasters)
    })
}

impl Stack {
    /// Connects to everything and brings the schema up to date. `apart` is the number of connections that the process
    /// opens beside its pools.
    pub async fn connect(config: &Config, apart: u32) -> anyhow::Result<Self> {
        let master = master_key(config)?;
        let Some(nats_url) = &config.nats_url else {
            bail!("NATS_URL is missing: only `routix up` starts a NATS server of its own");
        };
        let (pool, options) = database(config, apart).await?;
        event_log::migrate(&pool).await?;
        let keys = master.unlock(&pool).await?;
        let bus_options = BusOptions { replicas: config.stream_replicas, ..BusOptions::default() };
        let bus = Bus::connect(nats_url, bus_options).await?;
        let log = EventLog::start(pool, &keys, &options);
        log.set_witness(Arc::new(bus.clone()));
        Ok(Self { log, bus, keys })
    }
}
