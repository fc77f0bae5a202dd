//! One request at the door: what the service need not see, and until when its connection is busy with it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode, Version, header, uri};
use axum::response::IntoResponse;
use hyper::body::{Frame, Incoming, SizeHint};
use tower::ServiceExt;

use super::line::Line;
use super::refusal::URI_BYTES_MAX;
use crate::problem::ApiError;
use crate::security_headers::security_headers;

/// Keeps a connection busy until the answer is out.
struct Busy(Option<Arc<Line>>);

impl Busy {
    fn begin(line: Arc<Line>) -> Self {
        line.gets_busy();
        Self(Some(line))
    }

    /// No request follows on a connection that was taken over: whoever has it sees to its end.
    fn stays(mut self) {
        self.0 = None;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.waits();
        }
    }
}

/// The body of an answer. The connection waits for the next request when this is dropped.
pub struct Answer {
    body: Body,
    _busy: Option<Busy>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Has the service answer a request.
pub async fn answer(
    service: Router,
    peer: SocketAddr,
    line: Arc<Line>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let busy = Busy::begin(line);
    let response = match fault_of(&request) {
        Some(fault) => {
            let mut response = fault.into_response();
            security_headers(response.headers_mut());
            response
        }
        None => {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            service.oneshot(request).await.unwrap_or_else(|never| match never {})
        }
    };
    let busy = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        busy.stays();
        None
    } else {
        Some(busy)
    };
    Ok(response.map(|body| Answer { body, _busy: busy }))
}

/// Why a request is refused that the HTTP library takes. Proxies and servers that read `Host` differently are how one
/// request is passed off as another.
fn fault_of<B>(request: &Request<B>) -> Option<ApiError> {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if path > URI_BYTES_MAX {
        return Some(ApiError::UriTooLong);
    }
    let hosts: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
    let is_named = match hosts.as_slice() {
        [host] => uri::Authority::try_from(host.as_bytes()).is_ok(),
        [] => request.version() < Version::HTTP_11,
        _ => false,
    };
    (!is_named).then(|| ApiError::Malformed {
        detail: "a request names its host in exactly one Host header".to_owned(),
    })
}
