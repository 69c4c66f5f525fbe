//! The doctor beside the app: it polls, decides by `healing-core`, treats, and records why.
//!
//! The rules for *when* to heal are in `healing-core`. The operator's command is in `healing-cli`.

pub mod config;
pub mod doctor;
pub mod exit_code;
pub mod files;
pub mod logging;
pub mod parent_death;
pub mod sidecar;
mod status;
