//! Configuration: flags and environment, each with its default. `routix --help` lists them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::ConnectionLimits;
use clap::Args;
use event_log::erase::KeptReceipts;
use providers::ImageGenerator;

use crate::system;

/// The settings: addresses, folders, limits.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The address to listen on.
    #[arg(long, env = "ROUTIX_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// The folder of the embedded servers, pictures and credentials.
    #[arg(long, env = "ROUTIX_DATA", default_value = ".routix", global = true)]
    pub data: PathBuf,
    /// PostgreSQL 15+ with pgvector 0.8+. `up` starts an embedded one when this is missing.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// nats-server 2.10+ with JetStream, or several of one cluster separated by commas. `up` starts an embedded one when this is missing.
    #[arg(long, env = "NATS_URL", hide_env_values = true, global = true)]
    pub nats_url: Option<String>,
    /// The secret that tokens are signed and personal data is sealed with: at least 32 characters. `up`
    /// makes one on its first start and keeps it in the data folder.
    #[arg(long, env = "ROUTIX_SECRET_KEY", hide_env_values = true, global = true)]
    pub secret_key: Option<String>,
    /// Further secrets that may still be read with while the secret key is being changed, separated by commas.
    #[arg(long, env = "ROUTIX_SECRET_KEY_OLD", hide_env_values = true, global = true)]
    pub secret_key_old: Option<String>,
    /// The file of receipts of erasure, kept apart from the log and its backups. By default `erasures.jsonl` in
    /// the data folder.
    #[arg(long, env = "ROUTIX_ERASURES", global = true)]
    pub erasures: Option<PathBuf>,
    /// Credits that a new account starts with.
    #[arg(long, env = "ROUTIX_SIGNUP_CREDITS", default_value_t = 25, global = true)]
    pub signup_credits: u32,
    /// The balance below which a user is warned.
    #[arg(long, env = "ROUTIX_LOW_CREDITS", default_value_t = 5, global = true)]
    pub low_credits: u32,
    /// Seconds after which an unfinished generation ends by itself and its credits go back.
    #[arg(long, env = "ROUTIX_GENERATION_DEADLINE_SECONDS", default_value_t = 600, global = true)]
    pub generation_deadline_seconds: u64,
    /// Turns rate limits on or off: on in `serve`, off in `up` unless set.
    #[arg(long, env = "ROUTIX_RATE_LIMITS", global = true)]
    pub rate_limits: Option<bool>,
    /// Web origins that may call the API from a browser, separated by commas.
    #[arg(
        long,
        env = "ROUTIX_ALLOWED_ORIGINS",
        default_value = "https://routix.com,https://app.routix.com",
        value_delimiter = ',',
        global = true
    )]
    pub allowed_origins: Vec<String>,
    /// The number of proxies in front of the server that are believed about the client's address.
    #[arg(long, env = "ROUTIX_TRUSTED_PROXIES", default_value_t = 0, global = true)]
    pub trusted_proxies: usize,
    /// Connections that clients may have open with a process: at most, and never more than its descriptors allow.
    #[arg(long, env = "ROUTIX_CONNECTIONS", default_value_t = 20_000, value_parser = at_least_one, global = true)]
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 network of 64 bits. Without effect behind trusted proxies.
    #[arg(
        long,
        env = "ROUTIX_CONNECTIONS_PER_ADDRESS",
        default_value_t = 5000,
        value_parser = at_least_one,
        global = true
    )]
    pub connections_per_address: usize,
    /// Connections to PostgreSQL that a process opens at most.
    #[arg(long, env = "ROUTIX_DATABASE_CONNECTIONS", default_value_t = 40, global = true)]
    pub database_connections: u32,
    /// Copies that JetStream keeps of the stream.
    #[arg(long, env = "ROUTIX_STREAM_REPLICAS", default_value_t = 1, global = true)]
    pub stream_replicas: usize,
    /// The folder in which the end of the log is kept, signed. It should lie where neither the database nor NATS reach.
    #[arg(long, env = "ROUTIX_ANCHORS", global = true)]
    pub anchors: Option<PathBuf>,
    /// Seconds between two of them.
    #[arg(long, env = "ROUTIX_ANCHOR_SECONDS", default_value_t = 300, global = true)]
    pub anchor_seconds: u64,
    /// Seconds of silence after which another process takes over from the relay.
    #[arg(long, env = "ROUTIX_RELAY_LEASE_SECONDS", default_value_t = 5, global = true)]
    pub relay_lease_seconds: u64,
    /// Sockets that one user may have open.
    #[arg(long, env = "ROUTIX_SOCKETS_PER_USER", default_value_t = 20, global = true)]
    pub sockets_per_user: usize,
    /// Seconds that a projection may stand still, with events waiting, until `/health` is red.
    #[arg(long, env = "ROUTIX_STALLED_AFTER_SECONDS", default_value_t = 30, global = true)]
    pub stalled_after_seconds: u64,
    /// Where a process of background work serves `/metrics` and `/health`; nowhere when this is missing. One that
    /// serves the API has both there.
    #[arg(long, env = "ROUTIX_METRICS_LISTEN", global = true)]
    pub metrics_listen: Option<SocketAddr>,
    /// The OpenTelemetry collector that traces are sent to (OTLP over HTTP with protobuf), as `http://localhost:4318`.
    /// Nothing is traced without one. The standard variables `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`,
    /// `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TIMEOUT` are heeded as well.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true, global = true)]
    pub otlp_endpoint: Option<String>,
    /// The full address for traces, where it is not `/v1/traces` of the collector.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", hide_env_values = true, global = true)]
    pub otlp_traces_endpoint: Option<String>,
    /// The name under which traces are sent; `routix` when nothing names the service.
    #[arg(long, env = "OTEL_SERVICE_NAME", global = true)]
    pub service_name: Option<String>,
    /// Traces nothing, whatever else is set.
    #[arg(long, env = "OTEL_SDK_DISABLED", value_parser = clap::builder::FalseyValueParser::new(), global = true)]
    pub otel_sdk_disabled: bool,
    /// Logs as JSON lines instead of text.
    #[arg(long, env = "ROUTIX_LOG_JSON", default_value_t = false, global = true)]
    pub log_json: bool,
    /// Generators beside the built-in ones.
    #[arg(skip)]
    pub generators: Generators,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse::<std::num::NonZeroUsize>().map(Into::into).map_err(|error| error.to_string())
}

/// Generators of pictures that whoever runs the program brings along.
#[derive(Clone, Default)]
pub struct Generators(pub Vec<Arc<dyn ImageGenerator>>);

impl std::fmt::Debug for Generators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|generator| generator.name().to_owned())).finish()
    }
}

/// The least length of the secret key, in characters.
pub const SECRET_CHARS_MIN: usize = 32;

impl Config {
    /// The settings of the write side.
    pub fn settings(&self) -> commands::Settings {
        commands::Settings {
            signup_credits: self.signup_credits,
            low_credits_threshold: self.low_credits,
            generation_deadline: Duration::from_secs(self.generation_deadline_seconds),
            ..commands::Settings::default()
        }
    }

    /// The connections that clients may have open with this process.
    pub fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            all: self.connections.min(system::connections_max()),
            of_one_address: (self.trusted_proxies == 0).then_some(self.connections_per_address),
        }
    }

    /// Nobody takes over for so long from a relay that is silent.
    pub fn relay_lease(&self) -> Duration {
        Duration::from_secs(self.relay_lease_seconds.max(1))
    }

    /// A projection may stand still so long with events waiting.
    pub fn stalled_after(&self) -> Duration {
        Duration::from_secs(self.stalled_after_seconds)
    }

    /// Who was erased, as it is known apart from the log.
    pub fn kept_receipts(&self) -> KeptReceipts {
        KeptReceipts::at(self.erasures.clone().unwrap_or_else(|| self.data.join("erasures.jsonl")))
    }

    /// Where traces are sent; nowhere when no collector is named.
    pub fn traces_endpoint(&self) -> Option<String> {
        if self.otel_sdk_disabled {
            return None;
        }
        let named = |address: &Option<String>| address.clone().filter(|address| !address.is_empty());
        named(&self.otlp_traces_endpoint).or_else(|| {
            let collector = named(&self.otlp_endpoint)?;
            Some(format!("{}/v1/traces", collector.trim_end_matches('/')))
        })
    }

    /// The folder of pictures.
    pub fn objects_dir(&self) -> PathBuf {
        self.data.join("objects")
    }
}
