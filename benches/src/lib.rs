//! Proof on real processes: the demo, and what benches share.

pub mod demo;
pub mod layered;
