//! The policy, from outside: situations, polls that go wrong, and what must never happen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod leaks;
mod polls;
mod properties;
mod situations;
mod trouble;
mod world;
