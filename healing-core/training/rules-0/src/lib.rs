//! Frozen copy of the policy of `healing-core` as of commit 26b2181: the decisions named `rules_0`, `trend_0`
//! and `forest_0`, with which `cargo judge` compares later ones.
//!
//! It is a copy and not a table of recorded results, because only code can be run on populations that did
//! not exist when it was frozen. README.md names the parts that are left out.
//!
//! # Hazards
//!
//! - Decisions must not change here, not even to fix a defect: a test in `healing-training` compares them
//!   with a recorded log.
#![forbid(unsafe_code)]
#![allow(warnings, clippy::all, clippy::pedantic)]

pub use healing_wire::health;

pub mod config;
pub mod decision;
pub mod evidence;
pub mod features;
pub mod forecast;
pub mod model;
pub mod observation;
pub mod policy;
pub mod reason;
pub mod trend;

mod baseline;
mod guards;
mod lane;
pub mod rng;
mod slope;
mod time;
mod window;
