//! Proof on real processes: the demo, the trials, and what benches share.

pub mod demo;
pub mod layered;
pub mod load;
pub mod service;
pub mod trials;
