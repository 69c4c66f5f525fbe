//! The doctor: it polls the app, lets `healing-core` decide, treats, and records the reasons.
//!
//! The rules for *when* to heal are in `healing-core`. The operator's command is in `healing-cli`.

pub mod app_client;
pub mod config;
pub mod doctor;
pub mod exit_code;
pub mod files;
pub mod logging;
pub mod model_file;
pub mod parent_death;
pub mod proposer;
pub mod sidecar;
pub mod sockets;
pub mod store;

mod clock;
mod control_loop;
mod heartbeat;
mod lateness;
mod recorder;
mod status;
mod supervise;
#[cfg(test)]
mod testing;
mod timed_policy;
mod treatment;
mod unfinished_intent;
mod watchdog;
