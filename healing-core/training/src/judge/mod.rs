//! The judge: deciders on populations of episodes, compared by cost with common random numbers.
//!
//! Every decider lives through the same episodes, so the differences between deciders are paired, and their
//! intervals are far narrower than those of the costs. `cargo judge` is the command.
//!
//! # Hazards
//!
//! - The judge measures deciders in a simulator. It shows which of two deciders is better there, not how
//!   often a real app fails.
//! - Intervals assume many episodes: costs are heavy-tailed, and below some 30 episodes a 95 % interval
//!   covers less.

pub mod cost;
pub mod deciders;
pub mod explain;
pub mod record;
pub mod report;
pub mod results_file;
pub mod run;
pub mod statistics;
pub mod summary;

use crate::episode::Population;
use crate::episode::populations;

/// Returns the populations, in the order of tables.
#[must_use]
pub fn populations() -> Vec<Box<dyn Population>> {
    populations::all()
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
