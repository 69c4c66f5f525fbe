//! `cargo demo`: a real app falls ill and is healed, told line by line.
//!
//! One binary: the process that the user starts is the pod, the clients and the teller; it starts
//! itself anew as app, dependency and sidecar. What is told is observed: detection in the
//! sidecar's journal, recovery in the clients' answers, restarts in the pod's events.

pub mod args;
pub mod case;
pub mod doctor;
pub mod load;
pub mod output;
pub mod play;
pub mod ports;
pub mod report;
pub mod roles;
pub mod stage;
pub mod stay;
pub mod steps;
pub mod story;
pub mod wait;

pub use args::Args;
pub use play::play;
pub use roles::play as play_part;
