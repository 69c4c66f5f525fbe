//! What the tests of whole processes share.

pub(crate) mod app;
pub(crate) mod sidecar;
