//! The patient: an axum app whose faults are real, and what heals them.
//!
//! It serves `/data` from a cache that is filled from a dependency (a process of its own, where one
//! is given). Each fault of [`faults`] truly happens: a cache entry is broken, memory is touched,
//! every worker sleeps, a core spins, the dependency's process ends. Nothing is reported that is
//! not so, and the sidecar needs nothing from this crate.
//!
//! # Hazards
//! The faults are as real as they sound: `leak` takes memory up to its cap, and a `wedge` without
//! an end is ended only by ending the process. They are switched from loopback only.

mod app;
mod cache;
mod chance;
mod data;
pub mod dependency;
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

/// The project's README, so that its example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
