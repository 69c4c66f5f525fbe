//! Persistent state of the doctor: the policy's state, the intent of a hard heal, and the pause.
//!
//! Without it restarts would not count for the budget of the next process, and an app that the
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

/// Interval of writes without a change. They detect a read-only directory before a restart depends
/// on it.
const WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// Result of loading the policy's state at the start.
#[derive(Debug)]
pub(crate) enum LoadedState {
    /// There is no file, so this is the first start.
    Absent,
    /// Saved state.
    Saved(Box<PolicyState>),
    /// The file is not a state of this schema. It was moved aside if possible.
    Unreadable,
}

/// The state file, which contains the policy's state and the intent.
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

    /// Returns the intent of an unfinished hard heal.
    pub(crate) fn intent(&self) -> Option<&Intent> {
        self.intent.as_ref()
    }

    /// Returns `true` if a restart would be saved.
    pub(crate) fn writable(&self) -> bool {
        self.file.writable()
    }

    /// Writes an intent. If the write fails, the intent is kept in memory.
    pub(crate) fn write_intent(&mut self, intent: Intent, policy: PolicyState) -> io::Result<()> {
        self.intent = Some(intent);
        self.write(policy)
    }

    /// Removes the intent; the next write or save removes it from the file.
    pub(crate) fn clear_intent(&mut self) -> Option<Intent> {
        self.intent.take()
    }

    /// Writes the state if a part changed that a later process needs. A failure is logged, and makes
    /// the state not [`writable`](Self::writable).
    pub(crate) fn save(&mut self, policy: PolicyState) {
        let content = Content::new(policy, self.intent.clone());
        let _ = self.file.save(&content);
        self.publish();
    }

    /// Saves the state, or writes it if a write is due or the last one failed.
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
