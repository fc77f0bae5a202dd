//! The service in process: requests without a socket, on real Postgres and real NATS. The files below `routes` mirror
//! the URLs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod routes;
mod world;
