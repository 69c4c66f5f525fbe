//! The scenarios of the demo, one file each.

pub mod dependency_outage;
pub mod healthy;
pub mod poisoned_cache;
pub mod simulate_error;
pub mod wedge;
