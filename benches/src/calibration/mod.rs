//! Calibration of the simulator: the patient app under real load, next to the simulation of the same
//! parameters.
//!
//! `record` runs the patient app below and above its capacity, and writes one file per utilisation: its
//! parameters, and one line per second with the response of `/health`, the front door, the throttling and
//! the clients. `compare` simulates each file's parameters and prints both sides. The same code computes
//! the figures of both sides, from lines of the same form.
//!
//! # Hazards
//!
//! - `record` needs root and cgroups, because the CPU limit makes the capacity a known one.
//! - A recording describes one machine. The comparison holds for the parameters in its file.

mod args;
mod comparison;
mod deviations;
mod error;
mod figures;
mod patient;
mod plan;
mod probes;
mod recorder;
mod recording;
mod run;
mod simulated;
mod table;
mod tolerance;

pub use self::error::CalibrationError;
pub use self::run::{Outcome, compare, directory, main};
