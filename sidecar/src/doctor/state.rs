//! What outlives a doctor: the policy's state and an unfinished hard heal.
//!
//! Without it a restart could not be remembered, the budget would not hold, and an app that the
//! last doctor drained would stay drained for its lease. So a hard heal is allowed only while this
//! file can be written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use healing_core::policy::PolicyState;
use serde::{Deserialize, Serialize};

use crate::files;

/// A reader accepts only its own: an older doctor must not guess at a newer one's budget.
const SCHEMA: u32 = 1;
/// More than any state of ours; a larger file is not one.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    schema: u32,
    /// Budget, cooldowns, seed, and what awaits verification.
    pub(super) policy: PolicyState,
    /// A hard heal that was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) intent: Option<Intent>,
}

/// A hard heal that was begun and, as far as is known, not finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Intent {
    /// The instance that is to end.
    pub(super) instance_id: Option<String>,
    /// Its process, for people.
    pub(super) pid: Option<u32>,
    /// Why, by its stable code.
    pub(super) reason: String,
    /// A wedge: not drained.
    pub(super) wedged: bool,
    /// When, in milliseconds since the Unix epoch.
    pub(super) at_unix_ms: u64,
}

impl Saved {
    pub(super) fn new(policy: PolicyState, intent: Option<Intent>) -> Self {
        Self {
            schema: SCHEMA,
            policy,
            intent,
        }
    }
}

/// What was found at the start.
#[derive(Debug)]
pub(super) enum Found {
    /// No file: the first start.
    Nothing,
    /// A state to continue from.
    State(Box<Saved>),
    /// Something that is no state of ours; it was moved aside if possible.
    Unreadable(String),
}

/// The state file, and whether it can be written.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    last: Vec<u8>,
    writable: bool,
}

impl StateFile {
    /// The file in this directory, which is made if it does not exist.
    pub(super) fn open(dir: &Path) -> Self {
        let file = Self {
            path: dir.join("state.json"),
            last: Vec::new(),
            writable: true,
        };
        if let Err(error) = fs::create_dir_all(dir) {
            tracing::warn!(dir = %dir.display(), %error, "cannot make the state directory");
        }
        file
    }

    pub(super) fn load(&self) -> Found {
        let problem = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(error) => error.to_string(),
            Ok(metadata) if metadata.len() > MOST_BYTES => {
                format!("it has {} bytes, more than {MOST_BYTES}", metadata.len())
            }
            Ok(_) => match fs::read(&self.path) {
                Err(error) => error.to_string(),
                Ok(bytes) => match serde_json::from_slice::<Saved>(&bytes) {
                    Ok(saved) if saved.schema == SCHEMA => return Found::State(Box::new(saved)),
                    Ok(saved) => format!("its schema is {}, not {SCHEMA}", saved.schema),
                    Err(error) => error.to_string(),
                },
            },
        };
        let aside = self.path.with_extension("unreadable.json");
        let _ = fs::rename(&self.path, aside);
        Found::Unreadable(format!("{}: {problem}", self.path.display()))
    }

    /// Whether the last attempt succeeded.
    pub(super) fn writable(&self) -> bool {
        self.writable
    }

    /// Write if anything changed, or to learn whether writing works again.
    pub(super) fn save(&mut self, saved: &Saved) -> io::Result<()> {
        let bytes = serde_json::to_vec(saved).map_err(io::Error::other)?;
        if bytes == self.last && self.writable {
            return Ok(());
        }
        let written = files::replace(&self.path, &bytes);
        if written.is_ok() != self.writable {
            match &written {
                Ok(()) => tracing::info!(path = %self.path.display(), "state can be written again"),
                Err(error) => tracing::error!(
                    path = %self.path.display(), %error,
                    "state cannot be written: no restart is allowed until it can"
                ),
            }
        }
        self.writable = written.is_ok();
        if self.writable {
            self.last = bytes;
        }
        written
    }

    /// Write even if nothing changed: a directory that has become read-only is noticed before a
    /// restart depends on it.
    pub(super) fn save_afresh(&mut self, saved: &Saved) -> io::Result<()> {
        self.last.clear();
        self.save(saved)
    }
}
