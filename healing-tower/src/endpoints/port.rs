//! The two ports that requests come in by.

/// Port that a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// The app's own router, on the app's runtime.
    App,
    /// The care port, on the care thread.
    Care,
}
