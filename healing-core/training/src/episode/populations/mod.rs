//! Populations of episodes.
//!
//! | population | episodes | question |
//! |---|---|---|
//! | [`InKind`] | the training simulator's incidents in closed loop, one hour each | does a decider keep what it learned? |
//! | [`Named`] | the same 21 scenarios in the discrete-event simulation, one hour each | does it recognise them under real queues? |
//! | [`Stressed`] | apps under stress without a fault that a treatment stops, two hours each | does it not treat them? |
//! | [`SickStressed`] | faults under stress, two hours each | does it give the right treatment in time? |
//! | [`MemoryShapes`] | leaks, and usage that only looks like one, three hours each | does it tell a leak from a cache? |
//!
//! A seed selects the kind of episode (in turn, so that consecutive seeds have all kinds equally often)
//! and its parameters. All kinds are equally frequent, unlike in a fleet.

mod draw;
pub mod in_kind;
pub mod memory_shapes;
pub mod named;
pub mod sick_stressed;
pub mod stressed;

pub use in_kind::InKind;
pub use memory_shapes::MemoryShapes;
pub use named::Named;
pub use sick_stressed::SickStressed;
pub use stressed::Stressed;

use super::Population;

/// Returns all populations.
#[must_use]
pub fn all() -> Vec<Box<dyn Population>> {
    vec![
        Box::new(InKind),
        Box::new(Named),
        Box::new(Stressed),
        Box::new(SickStressed),
        Box::new(MemoryShapes),
    ]
}

/// Returns the item that a seed selects, in turn.
#[allow(clippy::cast_possible_truncation)] // below the length
fn in_turn<T: Copy>(items: &[T], seed: u64) -> T {
    items[(seed % items.len() as u64) as usize]
}

#[cfg(test)]
mod tests;
