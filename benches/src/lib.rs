//! The demo on real processes, and code that benches share.

pub mod demo;
pub mod layered;
