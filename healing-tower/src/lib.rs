//! A tower layer that counts what others miss, answers probes and heals softly.
//!
#![cfg_attr(feature = "axum", doc = include_str!("../README.md"))]
#![forbid(unsafe_code)]

mod app;
mod body;
mod builder;
mod care;
pub mod checks;
mod endpoints;
mod families;
mod future;
mod grpc;
mod healing;
pub mod hooks;
mod job;
mod layer;
mod lifecycle;
mod meter;
mod metrics;
#[cfg(feature = "axum")]
mod router;
#[cfg(feature = "axum")]
mod serve;
mod service;
mod settings;
mod track;
mod vitals;

#[cfg(feature = "axum")]
pub use body::Axum;
pub use body::{BodyKind, Generic, ResponseBody};
pub use builder::Builder;
pub use checks::{CheckEvent, CheckEvents, CheckOptions};
pub use future::{ResponseFuture, SkipMetrics};
pub use healing::Healing;
pub use healing_core::health;
pub use hooks::HookOptions;
pub use layer::HealingLayer;
pub use meter::{Meter, MeterCollector, MeterOptions, RequestHead, ResponseHead, TrackBody};
pub use service::HealingService;
