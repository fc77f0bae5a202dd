//! The address of the client: that of the connection, unless trusted proxies stand in between.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

/// With `trusted` proxies in front, the entry that the outermost of them added to `X-Forwarded-For`;
/// whatever a client wrote further left is not believed.
pub fn client_ip(parts: &Parts, trusted: usize) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if trusted == 0 {
        return peer;
    }
    let forwarded: Vec<IpAddr> = parts
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|entry| entry.trim().parse().ok())
        .collect();
    forwarded.len().checked_sub(trusted).and_then(|index| forwarded.get(index).copied()).or(peer)
}
