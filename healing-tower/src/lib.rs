//! A tower layer that counts what others miss, answers probes and heals softly.
#![forbid(unsafe_code)]

#[allow(dead_code)] // until the layer is here
mod meter;
#[allow(dead_code)] // until the endpoints are here
mod metrics;

pub use meter::{Meter, MeterOptions, RequestHead, ResponseHead, TrackBody};
