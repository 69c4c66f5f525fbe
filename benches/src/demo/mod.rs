//! `cargo demo`: faults of a real app and their healing, reported line by line.
//!
//! There is one binary. The process that the user starts is the pod, the clients and the reporter; it
//! starts its own program again as app, dependency and sidecar. Every report is an observation:
//! detection from the sidecar's journal, recovery from the clients' responses, restarts from the pod's
//! events.

pub mod args;
pub mod keep_running;
pub mod load;
pub mod log_buffer;
pub mod ports;
pub mod process;
pub mod report;
pub mod reporter;
pub mod run;
pub mod scenario_error;
pub mod scenario_run;
pub mod scenarios;
pub mod testbed;
pub mod wait;

pub use args::Args;
pub use process::run_subprocess;
pub use run::run;
