//! The doctor beside the app: it polls, decides by `healing-core`, treats, and records why.
//!
//! Two binaries share this library: `healing-sidecar` runs beside the app, `healing` is the
//! operator's command. Rules about *when* to heal are not found here: they are `healing-core`'s.

pub mod commands;
pub mod config;
pub mod doctor;
mod files;
pub mod logging;
pub mod pod;
pub mod sidecar;
mod status;
