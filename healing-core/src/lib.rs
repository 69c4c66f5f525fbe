//! The healing policy as a library without I/O. It takes observations of an app and returns decisions
//! with their reasons.
//!
//! The crate has no clock, no random source, no files, no sockets and no threads. The caller polls the
//! app, passes the time, carries out allowed treatments and reports their results. The same inputs
//! therefore give the same decisions in the sidecar, in a replay of a journal and in a simulation.
//!
//! # Embedding
//!
//! ```
//! use std::time::Duration;
//! use healing_core::{policy::Proposer, config::PolicyConfig, decision::*, health::*, observation::*, policy::Policy};
//!
//! let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, 42);
//! let circumstances = Circumstances { mode: Mode::Enforce, ..Circumstances::default() };
//! let mut app = Health { instance_id: Some("a".into()), uptime: 600.0, ..Health::default() };
//! for poll in 0..10 {
//!     let time = Duration::from_secs(5 * poll); // replace with your clocks
//!     let errors = if poll < 3 { 0 } else { 6 };
//!     app.totals = Totals { requests_total: Some(errors), errors_total: Some(errors), ..Totals::default() };
//!     app.uptime += 5.0; // replace with the response of your app
//!     let care = ProbeResult::Valid(app.clone(), Duration::from_millis(1));
//!     let front_door = ProbeResult::Valid((), Duration::from_millis(1));
//!     let now = Now { monotonic: time, wall: time };
//!     let decision = policy.step(now, &Observation { care, front_door, sockets: None, circumstances });
//!     println!("{time:?}: {}", policy.explain(&decision));
//!     if decision.action == Action::ResetErrors {
//!         // carry out the treatment here, then report its result
//!         policy.report_treatment(now, TreatmentReport { action: decision.action, result: TreatmentResult::Done });
//!     }
//! }
//! assert_eq!(policy.state().current_treatment(), Some(Action::ResetErrors)); // save the state here
//! ```
//!
//! A later step reports the outcome of the treatment in [`Decision::concluded`].
//!
//! # Hazards
//!
//! - Report a restart as [`Started`](decision::TreatmentResult::Started) and save the state *before*
//!   carrying it out. Otherwise the restart budget does not count it.
//! - One [`Policy`](policy::Policy) observes one instance. It does not see other replicas.
//! - Evidence and permission limit every proposer. A wrong model cannot heal a healthy app, but it can
//!   leave an unhealthy one untreated.
//!
//! [`Decision::concluded`]: decision::Decision::concluded
#![forbid(unsafe_code)]

/// Doc tests of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use healing_wire::{heal, health};

pub mod config;
pub mod decision;
pub mod evidence;
pub mod explanation;
pub mod features;
pub mod forecast;
pub mod impairment;
pub mod model;
pub mod observation;
pub mod policy;
pub mod reason;

mod baseline;
mod guards;
mod lane;
mod model_record;
mod number;
mod proposal;
mod reading;
pub mod rng;
mod slope;
mod time;
mod window;
