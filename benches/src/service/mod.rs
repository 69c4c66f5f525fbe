//! Trial service, which is an axum app with healing-tower that is meant to be overloaded and broken.
//!
//! It has several workers, burns CPU for each request, and takes faults by
//! `POST /faults/NAME/VALUE` on a control port. A separate thread serves the control port, so that a fault
//! can be injected while the app is saturated or blocked.
//!
//! # Hazards
//! The faults are real, for example a memory leak. The control port only listens on 127.0.0.1.

mod app;
mod args;
mod control;
mod events;
mod faults;
mod hog;
mod run;

pub use self::args::Args;
pub use self::events::{Event, EventKind, EventLog};
pub use self::run::main;
