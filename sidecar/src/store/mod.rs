//! Persistent state of the doctor: the policy's state, the intent of a hard heal, and the pause.
//!
//! Without it a restart could not be remembered, the budget would not hold, and an app that the
//! previous doctor drained would stay drained for its lease. So a hard heal is allowed only while
//! the state file can be written.

mod intent;
mod pause;
mod state_file;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use healing_core::policy::PolicyState;
use tokio::time::Instant;

pub(crate) use self::intent::{Identity, Intent};
pub use self::pause::Pause;
use self::state_file::{Content, StateFile};
use crate::status::Shared;

/// Interval of writes without a change. They notice that the directory has become read-only before
/// a restart depends on it.
const WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// The policy's state as it was found at the start.
#[derive(Debug)]
pub(crate) enum LoadedState {
    /// No file: the first start.
    Absent,
    /// State to continue from.
    Saved(Box<PolicyState>),
    /// A file that is no state of this schema. It was moved aside if possible.
    Unreadable,
}

/// The state file, and the intent that it holds beside the policy's state.
#[derive(Debug)]
pub(crate) struct Store {
    file: StateFile,
    intent: Option<Intent>,
    written: Instant,
    shared: Arc<Shared>,
}

impl Store {
    /// Opens the state in this directory, and creates the directory if it does not exist.
    pub(crate) fn open(dir: &Path, shared: Arc<Shared>) -> (Self, LoadedState) {
        let file = StateFile::open(dir);
        let (loaded, intent) = match file.load() {
            Ok(None) => (LoadedState::Absent, None),
            Ok(Some(Content { policy, intent, .. })) => {
                (LoadedState::Saved(Box::new(policy)), intent)
            }
            Err(_logged) => (LoadedState::Unreadable, None),
        };
        let store = Self {
            file,
            intent,
            written: Instant::now(),
            shared,
        };
        (store, loaded)
    }

    /// Returns the hard heal that was begun and is not known to have ended.
    pub(crate) fn intent(&self) -> Option<&Intent> {
        self.intent.as_ref()
    }

    /// Returns `true` if a restart would be remembered.
    pub(crate) fn writable(&self) -> bool {
        self.file.writable()
    }

    /// Writes an intent. It stays in memory where that fails.
    pub(crate) fn write_intent(&mut self, intent: Intent, policy: PolicyState) -> io::Result<()> {
        self.intent = Some(intent);
        self.write(policy)
    }

    /// Removes the intent; the next write or save removes it from the file.
    pub(crate) fn clear_intent(&mut self) -> Option<Intent> {
        self.intent.take()
    }

    /// Writes the state if anything changed that a later process must know. A failure is logged,
    /// and makes the state not [`writable`](Self::writable).
    pub(crate) fn save(&mut self, policy: PolicyState) {
        let content = Content::new(policy, self.intent.clone());
        let _ = self.file.save(&content);
        self.publish();
    }

    /// Saves the state, or writes it where that is due or the last write failed.
    pub(crate) fn checkpoint(&mut self, policy: PolicyState) {
        if self.written.elapsed() >= WRITE_INTERVAL || !self.writable() {
            let _ = self.write(policy);
        } else {
            self.save(policy);
        }
    }

    /// Writes the state even if nothing changed.
    pub(crate) fn write(&mut self, policy: PolicyState) -> io::Result<()> {
        self.written = Instant::now();
        let content = Content::new(policy, self.intent.clone());
        let result = self.file.write(&content);
        self.publish();
        result
    }

    fn publish(&self) {
        let writable = self.writable();
        self.shared.metrics.state_writable.set(i64::from(writable));
        self.shared.view().state_writable = writable;
    }
}

#[cfg(test)]
mod tests;
