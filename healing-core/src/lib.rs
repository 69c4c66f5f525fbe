//! The healing policy as a library without I/O: an observation of an app goes in, a decision with its
//! reasons comes out.
//!
//! It has no clock, no randomness of its own, no files, no sockets and no threads: the caller polls,
//! tells the time, carries out what is allowed, and says how it went. So the same code decides in the
//! sidecar, in a replay of a journal, and in a simulation, and the same inputs give the same decision.
//!
//! # Embedding it
//! ```
//! # #[cfg(feature = "policy")] {
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
//! # }
//! ```
//! What became of the treatment comes out of a later step as [`Decision::concluded`].
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `wire` (default) | [`health`]: what an app says and takes; all that an app needs |
//! | `policy` | [`policy`] and what it is made of: [`observation`], [`features`], [`evidence`], [`brain`], [`decision`], [`config`] |
//! | `forest` | the random forest: model file, compiled votes, explanations |
//! | `train` | training and judging with smartcore |
//!
//! # Hazards
//! - A restart is reported as [`Started`](decision::TreatmentResult::Started), and the state saved,
//!   *before* it is carried out. Otherwise the restart budget does not know of it.
//! - One [`Policy`](policy::Policy) watches one instance. It cannot see other replicas.
//! - Evidence and permission bound every brain; a brain that is wrong can still leave an app ill.
//!
//! [`Decision::concluded`]: decision::Decision::concluded
#![cfg_attr(not(feature = "train"), allow(rustdoc::broken_intra_doc_links))] // links into features that are off
#![forbid(unsafe_code)]

#[cfg(feature = "wire")]
pub mod health;

#[cfg(feature = "policy")]
pub mod brain;
#[cfg(feature = "policy")]
pub mod config;
#[cfg(feature = "policy")]
pub mod decision;
#[cfg(feature = "policy")]
pub mod evidence;
#[cfg(feature = "policy")]
pub mod explanation;
#[cfg(feature = "policy")]
pub mod features;
#[cfg(feature = "policy")]
pub mod forecast;
#[cfg(feature = "policy")]
pub mod observation;
#[cfg(feature = "policy")]
pub mod policy;
#[cfg(feature = "policy")]
pub mod reason;
#[cfg(feature = "train")]
pub mod training;

#[cfg(feature = "policy")]
mod baseline;
#[cfg(feature = "policy")]
mod guards;
#[cfg(feature = "policy")]
mod lane;
#[cfg(feature = "policy")]
mod rng;
#[cfg(feature = "policy")]
mod slope;
#[cfg(feature = "policy")]
mod time;
#[cfg(feature = "policy")]
mod window;
