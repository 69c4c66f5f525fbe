//! Tower layer that counts requests, answers probes and runs recovery hooks.
//!
#![cfg_attr(feature = "axum", doc = include_str!("../README.md"))]
#![forbid(unsafe_code)]

mod app_metrics;
mod body;
mod builder;
mod care;
pub mod checks;
mod deferred_log;
mod endpoints;
mod exit_code;
mod exposition;
mod future;
mod grpc;
mod healing;
mod heartbeat;
pub mod hooks;
mod job;
mod layer;
mod lifecycle;
mod lock;
mod meter;
#[cfg(feature = "axum")]
mod router;
#[cfg(feature = "axum")]
mod serve;
mod service;
mod settings;
mod shared;
mod startup;
mod token_file;
mod track;
mod vitals;

#[cfg(feature = "axum")]
pub use body::Axum;
pub use body::{BodyKind, Generic, ResponseBody};
pub use builder::Builder;
pub use checks::{CheckEvent, CheckEvents, CheckOptions};
pub use future::{ResponseFuture, SkipMetrics};
pub use healing::Healing;
pub use healing_wire::{heal, health};
pub use hooks::HookOptions;
pub use layer::HealingLayer;
pub use meter::{Meter, MeterCollector, MeterOptions, RequestHead, ResponseHead, TrackBody};
pub use service::HealingService;
pub use startup::Starting;
