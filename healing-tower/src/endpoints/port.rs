//! Ports on which requests arrive.

/// Port on which a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// The app's own router, on the app's runtime.
    App,
    /// The care port, on the care thread.
    Care,
}
