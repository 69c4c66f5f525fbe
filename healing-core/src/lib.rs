//! The healing policy as a library without I/O: an observation of an app goes in, a decision with its
//! reasons comes out.
//!
//! It has no clock, no randomness of its own, no files, no sockets and no threads: the caller polls,
//! tells the time, carries out what is allowed, and says how it went. So the same code decides in the
//! sidecar, in a replay of a journal, and in a simulation, and the same inputs give the same decision.
//!
//! # Embedding it
//! ```
//! use std::time::Duration;
//! use healing_core::{brain::Proposer, config::PolicyConfig, decision::*, health::*, observation::*, policy::Policy};
//!
//! let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, 42);
//! let circumstances = Circumstances { mode: Mode::Enforce, ..Circumstances::default() };
//! let mut app = Health { instance_id: Some("a".into()), uptime: 600.0, ..Health::default() };
//! for poll in 0..10 {
//!     let time = Duration::from_secs(5 * poll); // here: your own clocks
//!     let errors = if poll < 3 { 0 } else { 6 };
//!     app.totals = Totals { requests_total: Some(errors), errors_total: Some(errors), ..Totals::default() };
//!     app.uptime += 5.0; // here: what your app says
//!     let care = ProbeResult::Valid(app.clone(), Duration::from_millis(1));
//!     let front_door = ProbeResult::Valid((), Duration::from_millis(1));
//!     let now = Now { monotonic: time, wall: time };
//!     let decision = policy.step(now, &Observation { care, front_door, circumstances });
//!     println!("{time:?}: {}", policy.explain(&decision));
//!     if decision.action == Action::ResetErrors { // here: do it
//!         policy.report_treatment(now, Treatment { action: decision.action, result: TreatmentResult::Done });
//!     }
//! }
//! assert_eq!(policy.state().awaiting(), Some(Action::ResetErrors)); // here: save the state
//! ```
//! What became of the treatment comes out of a later step as [`Decision::concluded`].
//!
//! # Hazards
//! - A restart is reported as [`Started`](decision::TreatmentResult::Started), and the state saved,
//!   *before* it is carried out. Otherwise the restart budget does not know of it.
//! - One [`Policy`](policy::Policy) watches one instance. It cannot see other replicas.
//! - Evidence and permission bound every brain; a brain that is wrong can still leave an app ill.
//!
//! [`Decision::concluded`]: decision::Decision::concluded
#![forbid(unsafe_code)]

pub use healing_wire::{heal, health};

pub mod brain;
pub mod config;
pub mod decision;
pub mod evidence;
pub mod explanation;
pub mod features;
pub mod forecast;
pub mod model;
pub mod observation;
pub mod policy;
pub mod reason;

mod baseline;
mod lane;
mod outcome;
mod permission;
pub mod rng;
mod silence;
mod slope;
mod time;
mod window;
