//! The wire schema between an app and its doctor: the answer of `GET /health` and the request and
//! response of `POST /heal`.
//!
//! It is all that an embedding app shares with the policy, so it depends on serde alone.
//!
//! # Hazards
//!
//! An app describes itself here, so an answer may be late, wrong or hostile. A reader bounds its size
//! and the time it takes, and acts on no single figure.
#![forbid(unsafe_code)]

pub mod heal;
pub mod health;
