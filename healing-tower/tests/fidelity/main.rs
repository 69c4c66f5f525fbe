//! Each request ends in exactly one class, in the right one, and is open no longer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classes;
#[cfg(feature = "grpc")]
mod grpc;
mod metrics;
mod routes;
mod sockets;
mod support;
