//! Tests that a request is counted once, in the correct outcome class, and is then not in flight.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod classes;
#[cfg(feature = "grpc")]
mod grpc;
mod metrics;
mod ranking;
mod routes;
mod sockets;
mod support;
