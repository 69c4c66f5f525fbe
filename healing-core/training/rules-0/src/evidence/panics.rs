//! Repeated panics of handlers: a lock that a panic has poisoned, a value that broke an invariant.
//! Broken memory does not repair itself, and hooks run in the same memory.
//!
//! A soft heal still comes first: its evidence is complete after 3 polls, that of panics after 5,
//! counted from the last treatment.

use crate::config::EvidenceConfig;
use crate::window::{Delta, as_f64};

/// Reports if handlers panic in the fast window, and in a large enough share of the requests of the
/// slow window.
pub(crate) fn detect(fast: Option<&Delta>, slow: Option<&Delta>, config: &EvidenceConfig) -> bool {
    let current = fast
        .and_then(|delta| delta.panics)
        .is_some_and(|panics| panics > 0);
    current
        && slow.is_some_and(|delta| match (delta.panics, delta.requests) {
            (Some(panics), Some(requests)) => {
                panics > config.count_errors
                    && as_f64(panics) >= config.panic_share * as_f64(requests)
            }
            _ => false,
        })
}
