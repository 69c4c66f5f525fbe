//! The healing policy as a library without I/O.

#![forbid(unsafe_code)]

#[cfg(feature = "policy")]
pub mod brain;
#[cfg(feature = "policy")]
pub mod config;
#[cfg(feature = "policy")]
pub mod decision;
#[cfg(feature = "policy")]
pub mod features;
#[cfg(feature = "wire")]
pub mod health;
#[cfg(feature = "policy")]
pub mod observation;
#[cfg(feature = "policy")]
pub mod reason;
#[cfg(feature = "train")]
pub mod training;
