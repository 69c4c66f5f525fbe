//! Trial service: an axum app with healing-tower of its own, built to be overloaded and broken.
//!
//! It uses several workers, burns CPU for each request, and takes faults by
//! `POST /faults/NAME/VALUE` on a control port that is served by a thread of its own, so that a fault
//! can be injected while the app is saturated or blocked.
//!
//! # Hazards
//! It is broken on purpose and only listens on 127.0.0.1.

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
