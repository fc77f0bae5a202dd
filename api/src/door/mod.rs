//! The door: connections are accepted, limited, timed and ended here, and requests are handed to the service.
//!
//! Refuses to know routes. Limits: [`Limits`] for connections, 32 KiB for a head, 10 seconds for it to arrive, 75
//! seconds between two requests, 30 seconds in which a client takes nothing of its answer. Bodies have times of their
//! own where they are read.

mod guests;
mod line;
mod refusal;
mod request;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use guests::Limits;
use guests::{Guest, Guests};
use stream::GuestStream;

/// The largest head: request line and headers, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// The pause after the system had no descriptor for a connection.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(20);

/// Serves on a listener until `stop`, then ends the requests that were begun.
pub async fn open(service: Router, listener: TcpListener, limits: Limits, stop: CancellationToken) {
    let guests = Guests::new(limits);
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(guest) = guests.admit(peer.ip()) {
                    open.spawn(attend(service.clone(), stream, peer, guest, stop.clone()));
                }
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                guests.make_room();
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// Tells whether an error concerns one connection that is gone already.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves one connection to its end, or until it is taken over by an upgrade.
async fn attend(service: Router, stream: TcpStream, peer: SocketAddr, guest: Guest, stop: CancellationToken) {
    // An answer is written at once, and a frame of a live stream waits for nothing.
    let _ = stream.set_nodelay(true);
    let line = guest.line().clone();
    let stream = TokioIo::new(GuestStream::new(stream, guest));
    let of_requests = line.clone();
    let answers =
        service_fn(move |request| request::answer(service.clone(), peer, of_requests.clone(), request));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(stream, answers)
        .with_upgrades();
    let mut is_ending = false;
    let ended = loop {
        tokio::select! {
            ended = &mut connection => break ended,
            () = line.told_to_go() => return,
            () = stop.cancelled(), if !is_ending => {
                is_ending = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended
        && let Some(parts) = connection.into_parts()
    {
        parts.io.into_inner().take_leave(error.is_parse()).await;
    }
}
