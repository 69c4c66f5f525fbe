//! The care half from outside: endpoints, heals, and the end of a real process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
mod ending;
mod endpoints;
mod heal;
mod http;
mod scrapes;
mod upgrades;
mod wedge;
