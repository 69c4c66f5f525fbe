//! Wire schema between an app and its doctor: the response of `GET /health`, and the request and
//! responses of `POST /heal`.
//!
//! An embedding app needs no other part of the policy, so this crate depends on serde alone.
//!
//! # Hazards
//!
//! An app describes itself, so a response may be stale, wrong or hostile. A reader must limit its
//! size and the time it takes, validate every value, and never act on a single response.
#![forbid(unsafe_code)]

/// Doc tests of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod heal;
pub mod health;
