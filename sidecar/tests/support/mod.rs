//! Support of the process tests.

pub(crate) mod app;
pub(crate) mod model;
pub(crate) mod program;
pub(crate) mod sidecar;
