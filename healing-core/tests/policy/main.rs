//! The policy from outside: what a scenario script cannot express.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod figures;
mod leaks;
mod model;
mod persistence;
mod properties;
mod step_cost;
#[path = "../support/world.rs"]
mod world;
