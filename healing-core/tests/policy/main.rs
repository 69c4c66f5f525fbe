//! Tests of the policy through its public API that a scenario script cannot express.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod features;
mod leaks;
mod model;
mod persistence;
mod properties;
mod reports;
mod settings;
mod small_services;
mod step_cost;
mod wedge;
#[path = "../support/world.rs"]
mod world;
