//! The patient: an axum app with real faults to inject, and its healing.
//!
//! It serves `/data` from a cache that is filled from a dependency (a separate process, where one is set).
//! No fault of [`faults`] is simulated: a cache entry is broken, memory is allocated and written, every
//! worker sleeps, a core spins, the dependency's process ends. The sidecar uses nothing from this crate.
//!
//! # Hazards
//!
//! `leak` takes memory up to its cap. A `wedge` without a duration ends only with the process. Faults can
//! be switched from loopback only.

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

pub use app::{app, healing, routes};
pub use cache::Cache;
pub use patient::Patient;
pub use run::{RunError, run};
pub use settings::Settings;

/// The project's README: its example is compiled as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
