//! A collector of OpenTelemetry: takes traces over HTTP and keeps them.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::eventually;

/// A span as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub service: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first span of a trace.
    pub parent: String,
    pub span: Span,
}

impl Sent {
    pub fn name(&self) -> &str {
        &self.span.name
    }

    /// An attribute, as text.
    pub fn attribute(&self, key: &str) -> Option<String> {
        text(&self.span.attributes, key)
    }

    pub fn position(&self) -> Option<i64> {
        self.attribute("routix.position")?.parse().ok()
    }
}

/// Takes spans until it is dropped with its runtime.
#[derive(Debug, Clone)]
pub struct Collector {
    pub endpoint: String,
    spans: Arc<Mutex<Vec<Sent>>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { endpoint, spans: Arc::default() };
        let taking = collector.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move { taking.take(&headers, &body) };
        let router = axum::Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        collector
    }

    fn take(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        if headers.get("content-type").is_none_or(|kind| kind != "application/x-protobuf") {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
        let mut spans = self.spans.lock().unwrap();
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let service = text(&attributes, "service.name").unwrap_or_default();
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| Sent {
                service: service.clone(),
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
                span,
            }));
        }
        StatusCode::OK
    }

    /// Everything of a trace that has arrived.
    pub fn trace(&self, trace: &str) -> Vec<Sent> {
        self.spans.lock().unwrap().iter().filter(|sent| sent.trace == trace).cloned().collect()
    }

    /// Waits for a span of a trace.
    pub async fn span(&self, trace: &str, what: &str, is_it: impl Fn(&Sent) -> bool) -> Sent {
        eventually(what, || async { self.trace(trace).into_iter().find(|sent| is_it(sent)) }).await
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}
