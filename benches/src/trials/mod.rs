//! Trials: real processes under `healing pod`, real HTTP load, and a right treatment that is written
//! down before the run.
//!
//! A case is one file in `cases/`, with its [`Expected`](expected::Expected) treatment as data, the service
//! that it starts, and the fault. The sidecar runs in mode `enforce` with its production
//! settings; `--time-scale X` divides every duration of the doctor and of the cases by X. The judging
//! code ([`judge`]) only sees restarts, soft heals and requests.
//!
//! # Hazards
//! The cases make cgroups (as root), stop processes by signals, and use CPU and memory for a bounded
//! time. Saturation is relative to the capacity that is measured at the start of each run, so a busy machine
//! changes the figures.

mod args;
pub mod cases;
pub mod expected;
pub mod judge;
mod process;
mod programs;
mod progress;
mod row;
mod run;
mod settings;
mod stub;
mod testbed;

pub use self::run::main;
