//! Load generator with open-loop and closed-loop clients, which records the outcome of each request by cause.
//!
//! Open-loop arrivals have fixed intended start times, so a server that stalls does not slow the arrivals
//! down. The latency of each request is measured from its intended start, so that the time for which a
//! stalled server keeps later requests waiting is part of their latency (no coordinated omission).
//!
//! # Hazards
//! Requests are only sent to 127.0.0.1. The generator shares the machine with the server, so its own
//! delay is part of each latency. The largest one is recorded as [`Recorder::worst_lag`].

mod connection;
mod generator;
mod record;
mod schedule;
#[cfg(test)]
mod tests;
mod transport;

pub use self::generator::{Client, Load, LoadSpec};
pub use self::record::{Cause, Counts, Recorder};
pub use self::schedule::{Phase, Segment};
pub use self::transport::Transport;
