//! Subscription to check state changes.

use healing_wire::health::{CheckKind, CheckState};
use tokio::sync::broadcast;

/// Maximum number of unread events per subscriber; further events replace the oldest.
const BACKLOG: usize = 64;

/// Change in a check's state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckEvent {
    /// Name of the check.
    pub name: String,
    /// Kind of the check.
    pub kind: CheckKind,
    /// Previous state; [`CheckState::Unknown`] for the first result.
    pub from: CheckState,
    /// New state.
    pub to: CheckState,
    /// Error, if the check fails.
    pub error: Option<String>,
}

/// Subscription to events, returned by [`Healing::check_events`](crate::Healing::check_events).
#[derive(Debug)]
pub struct CheckEvents(broadcast::Receiver<CheckEvent>);

impl CheckEvents {
    /// Returns the next change; `None` once every handle of this [`Healing`](crate::Healing) is dropped. A subscriber that is more than 64
    /// events behind loses the oldest.
    pub async fn next(&mut self) -> Option<CheckEvent> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// Sender of events.
#[derive(Debug, Clone)]
pub(super) struct Sender(broadcast::Sender<CheckEvent>);

impl Default for Sender {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Sender {
    pub(super) fn send(&self, event: CheckEvent) {
        let _ = self.0.send(event); // fails if there is no subscriber
    }

    pub(super) fn subscribe(&self) -> CheckEvents {
        CheckEvents(self.0.subscribe())
    }
}
