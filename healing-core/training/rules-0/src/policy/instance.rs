//! Instance of the app: the process that gives an answer.
//!
//! | answer | speaker |
//! |---|---|
//! | by the id of the instance before the known one | stale: late or out of order |
//! | by any other id than the known one, or an id where there was none, or none where there was one | a new instance |
//! | the first one that this process sees, by the known id or without any | first |
//! | same id, less uptime and smaller totals | stale |
//! | no ids, less uptime | a new instance |
//! | otherwise | the same instance |

use serde::{Deserialize, Serialize};

use crate::evidence::availability::Availability;

/// Known instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) id: Option<String>,
    /// Id of the instance before: its late answers are no restart.
    pub(super) previous: Option<String>,
    #[serde(default)]
    pub(super) availability: Availability,
}

/// Author of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The first instance that this process sees.
    First,
    /// The known instance.
    Same,
    /// Another instance.
    New,
    /// The known instance or the one before, late.
    Stale,
}

/// Identity of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) id: Option<&'a str>,
    /// Seconds since the start of the process.
    pub(super) uptime: f64,
    /// Set if a total is smaller than in the latest answer.
    pub(super) totals_fell: bool,
}

/// Tolerance of uptimes in whole seconds, in seconds: less uptime within it is no restart.
const UPTIME_TOLERANCE: f64 = 1.5;

/// Returns the speaker by the table in the [module](self). `known_uptime` is that of the latest
/// answer; `None` before this process has seen one.
pub(super) fn identify(
    known: &Instance,
    known_uptime: Option<f64>,
    answer: Identity<'_>,
) -> Speaker {
    match (answer.id, known.id.as_deref(), known_uptime) {
        (Some(id), Some(known_id), _) if id != known_id => {
            if known.previous.as_deref() == Some(id) {
                Speaker::Stale
            } else {
                Speaker::New
            }
        }
        // Known from a saved state, or not at all.
        (_, _, None) => Speaker::First,
        (Some(_), None, _) | (None, Some(_), _) => Speaker::New,
        (_, _, Some(uptime)) if answer.uptime + UPTIME_TOLERANCE >= uptime => Speaker::Same,
        (Some(_), Some(_), _) if answer.totals_fell => Speaker::Stale,
        (Some(_), Some(_), _) => Speaker::Same,
        (None, None, _) => Speaker::New,
    }
}

// === impl Instance ===

impl Instance {
    /// Changes the id, and keeps the one before.
    pub(super) fn set_id(&mut self, id: Option<&str>) {
        if self.id.as_deref() == id {
            return;
        }
        if self.id.is_some() {
            self.previous = self.id.take();
        }
        self.id = id.map(str::to_owned);
    }
}
