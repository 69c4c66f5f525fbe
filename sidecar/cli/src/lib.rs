//! The operator's command `healing`: the local pod, the kill switch, configuration and models.
//!
//! The rules for healing are in `healing-core`, and the doctor is in `healing-sidecar`, which does
//! not depend on this crate.

pub mod commands;
pub mod pod;
