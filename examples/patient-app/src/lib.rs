//! The patient, an axum app with real faults to inject, and its healing.
//!
//! It serves `/data` from a cache that is filled from a dependency (a separate process, if one is set). The
//! faults of [`faults`] are real. Cache entries are broken, memory is allocated and written, every worker
//! sleeps, cores spin, the dependency's process exits. The sidecar uses nothing from this crate.
//!
//! # Hazards
//!
//! `leak` allocates memory up to its limit. A `wedge` without a duration persists until the process is
//! restarted. Faults can be switched from loopback only.

mod app;
mod cache;
mod data;
pub mod dependency;
mod failure_rate;
pub mod faults;
mod loopback;
mod overview;
mod patient;
mod run;
mod settings;
mod work;

pub use app::{app, healing, routes};
pub use cache::Cache;
pub use patient::Patient;
pub use run::{RunError, run};
pub use settings::Settings;
pub use work::burn;

/// The project's README, whose example is compiled as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
