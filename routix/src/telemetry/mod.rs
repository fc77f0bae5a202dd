//! The things that a process tells of itself while it runs: lines of log, metrics, and traces for a collector of
//! OpenTelemetry.
//!
//! Rooms open spans of `tracing` where the work happens (`event_log::trace`); only here is it known what becomes
//! of them. Without an address of a collector nothing is recorded, and a span costs its caller a comparison.
//! A collector that is away or slow costs the traces, never a request: spans wait in a bounded queue and what does
//! not fit is dropped.

mod collector;
pub mod metrics;
mod tracer;

#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Context;
use event_log::trace::TARGET;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use self::collector::Collector;
use self::tracer::ContinuingTracer;
use crate::config::Config;

pub use tracer::traceparent;

/// The end of a process waits so long for the last spans to be taken.
const FLUSH_MAX: Duration = Duration::from_secs(3);
const SERVICE_NAME: &str = "routix";

/// Ends with the process.
#[derive(Debug)]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

/// Starts logging, and tracing where a collector is named. `quiet` logs errors only. What is exported is sent by
/// the runtime.
pub fn start(config: &Config, quiet: bool, runtime: &Handle) -> anyhow::Result<Telemetry> {
    let default =
        if quiet { "error" } else { "warn,routix=info,api=info,commands=info,nats=info,projections=info" };
    let filter = EnvFilter::try_from_env("ROUTIX_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let spans = config.traces_endpoint().map(|endpoint| provider(config, endpoint, runtime)).transpose();
    let spans = spans?;
    tracing::dispatcher::set_global_default(dispatch(filter, config.log_json, spans.as_ref()))?;
    Ok(Telemetry { spans })
}

impl Telemetry {
    /// Sends what was recorded, within a bound. Blocks, and wants the runtime to be there still.
    pub fn end(self) {
        if let Some(spans) = self.spans
            && let Err(error) = spans.shutdown_with_timeout(FLUSH_MAX)
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Lines of log, and spans where there is somebody to take them. Neither sees what is meant for the other.
fn dispatch(filter: EnvFilter, json: bool, spans: Option<&SdkTracerProvider>) -> Dispatch {
    // A place for a layer that is not there would have every span asked for each time, so there is none.
    let Some(provider) = spans else {
        return tracing_subscriber::registry().with(lines(filter, json)).into();
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(ContinuingTracer(provider.tracer(SERVICE_NAME)))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET));
    tracing_subscriber::registry().with(spans).with(lines(filter, json)).into()
}

fn lines<S>(filter: EnvFilter, json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Whatever is wanted of the log, spans of traces are no part of it.
    let no_spans = format!("{TARGET}=off").parse().expect("the constant is a directive");
    let filter = filter.add_directive(no_spans);
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    if json { lines.json().with_filter(filter).boxed() } else { lines.with_filter(filter).boxed() }
}

/// Who samples the spans and sends them in batches, by a thread of its own. The sampler and the batches are those of
/// the standard variables `OTEL_TRACES_SAMPLER` and `OTEL_BSP_*`.
fn provider(config: &Config, endpoint: String, runtime: &Handle) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_http_client(Collector::new(runtime.clone())?)
        .build()
        .context("traces cannot be exported")?;
    Ok(SdkTracerProvider::builder().with_resource(resource(config)).with_batch_exporter(exporter).build())
}

/// The name of the service: given by either of the standard variables, or our own.
fn resource(config: &Config) -> Resource {
    let version = [opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    let known = Resource::builder().build();
    let named = known.get(&"service.name".into()).map(|name| name.to_string());
    let is_named = named.is_some_and(|name| !name.starts_with("unknown_service"));
    let builder = Resource::builder().with_attributes(version);
    match config.service_name.as_ref().filter(|name| !name.is_empty()) {
        Some(name) => builder.with_service_name(name.clone()).build(),
        None if is_named => builder.build(),
        None => builder.with_service_name(SERVICE_NAME).build(),
    }
}
