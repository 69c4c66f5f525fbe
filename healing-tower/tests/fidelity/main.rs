//! Tests that a request ends once, in the right class, and leaves the number in flight.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classes;
#[cfg(feature = "grpc")]
mod grpc;
mod metrics;
mod routes;
mod sockets;
mod support;
