//! Proof on real processes: the demo, the trials, and the parts that they and the benches share.

#[cfg(feature = "calibration")]
pub mod calibration;
pub mod cgroup;
pub mod demo;
mod descriptors;
pub mod free_port;
pub mod journal;
pub mod layered;
pub mod load;
pub mod poll;
pub mod service;
mod signal;
pub mod trials;
