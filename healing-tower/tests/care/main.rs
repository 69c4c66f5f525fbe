//! Tests of the care thread from outside: endpoints, heals, and the shutdown of a real process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod app;
mod child;
mod endpoints;
mod heal;
mod http;
mod lifecycle;
mod scrapes;
mod setup;
mod shutdown;
mod stalled_runtime;
mod upgrades;
