//! The healing policy as a library without I/O.

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
mod lane;
#[cfg(feature = "policy")]
mod outcome;
#[cfg(feature = "policy")]
mod permission;
#[cfg(feature = "policy")]
mod rng;
#[cfg(feature = "policy")]
mod silence;
#[cfg(feature = "policy")]
mod slope;
#[cfg(feature = "policy")]
mod time;
#[cfg(feature = "policy")]
mod window;
