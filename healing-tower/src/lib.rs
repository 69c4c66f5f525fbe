//! A tower layer that counts what others miss, answers probes and heals softly.
#![forbid(unsafe_code)]

mod body;
mod future;
mod grpc;
mod layer;
mod meter;
#[allow(dead_code)] // until the endpoints are here
mod metrics;
mod service;
mod track;

#[cfg(feature = "axum")]
pub use body::Axum;
pub use body::{BodyKind, Generic, ResponseBody};
pub use future::{ResponseFuture, Uncounted};
pub use layer::HealingLayer;
pub use meter::{Meter, MeterOptions, RequestHead, ResponseHead, TrackBody};
pub use service::HealingService;
