//! A check's change of state, for those who want to be told.

use healing_core::health::{CheckKind, CheckState};
use tokio::sync::broadcast;

/// Events that a subscriber may be behind before it loses the oldest.
const BACKLOG: usize = 64;

/// A check changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckEvent {
    /// The owner's name for the check.
    pub name: String,
    /// What it looks at.
    pub kind: CheckKind,
    /// The state before; [`CheckState::Unknown`] at the first result.
    pub from: CheckState,
    /// The state now.
    pub to: CheckState,
    /// Why it fails.
    pub error: Option<String>,
}

/// A subscription, from [`Healing::check_events`](crate::Healing::check_events).
#[derive(Debug)]
pub struct CheckEvents(broadcast::Receiver<CheckEvent>);

impl CheckEvents {
    /// The next change; `None` once the app's healing has ended. A subscriber that is more than 64
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

/// Where events come from.
#[derive(Debug, Clone)]
pub(super) struct Sender(broadcast::Sender<CheckEvent>);

impl Default for Sender {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Sender {
    pub(super) fn send(&self, event: CheckEvent) {
        let _ = self.0.send(event); // nobody may be listening
    }

    pub(super) fn subscribe(&self) -> CheckEvents {
        CheckEvents(self.0.subscribe())
    }
}
