//! Kill switch: a file in the state directory that forbids every treatment.
//!
//! `healing pause` writes the file, `healing resume` removes it. A file that cannot be parsed counts
//! as a pause, because an operator's attempt to pause must not be ignored.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::files;

/// Maximum number of bytes that are read of the file.
const MAX_BYTES: u64 = 64 * 1024;

/// Reason and expiry of a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Reason given by the operator.
    pub reason: String,
    /// Expiry, in milliseconds since the Unix epoch. Absent means until resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_unix_ms: Option<u64>,
}

impl Pause {
    fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("pause.json")
    }

    /// Returns the pause that applies at `now`, if any.
    #[must_use]
    pub fn read(state_dir: &Path, now: SystemTime) -> Option<Self> {
        let mut text = String::new();
        let read = File::open(Self::path(state_dir))
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        let pause = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            // If the path is not a directory, no pause can have been written there.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return None,
            Err(error) => Self::unparsable(&error),
            Ok(_) => serde_json::from_str(&text).unwrap_or_else(|e| Self::unparsable(&e)),
        };
        let now_ms = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_millis();
        match pause.until_unix_ms {
            Some(until) if u128::from(until) <= now_ms => None,
            _ => Some(pause),
        }
    }

    fn unparsable(error: &dyn std::fmt::Display) -> Self {
        Self {
            reason: format!("the pause file cannot be parsed: {error}"),
            until_unix_ms: None,
        }
    }

    /// Writes the pause, which applies from the next poll on.
    ///
    /// # Errors
    ///
    /// Returns an error if the state directory cannot be written.
    pub fn write(&self, state_dir: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        files::atomic_write(&Self::path(state_dir), &text)
    }

    /// Removes the pause, and returns `true` if there was one.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be removed.
    pub fn remove(state_dir: &Path) -> io::Result<bool> {
        match fs::remove_file(Self::path(state_dir)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_applies_until_expiry_or_removal() {
        let dir = tempfile::tempdir().unwrap();
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        assert_eq!(Pause::read(dir.path(), at(0)), None);
        let pause = Pause {
            reason: "maintenance".to_owned(),
            until_unix_ms: Some(1000),
        };
        pause.write(dir.path()).unwrap();
        assert_eq!(Pause::read(dir.path(), at(999)), Some(pause));
        assert_eq!(Pause::read(dir.path(), at(1000)), None);
        assert!(Pause::remove(dir.path()).unwrap());
        assert!(!Pause::remove(dir.path()).unwrap());
        assert_eq!(Pause::read(dir.path(), at(0)), None);
    }

    #[test]
    fn unparsable_file_is_a_pause() {
        let dir = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"{", b"\xff\xfe", b"{\"reason\": 3}"] {
            fs::write(dir.path().join("pause.json"), content).unwrap();
            let pause = Pause::read(dir.path(), SystemTime::now()).unwrap();
            assert!(pause.reason.contains("cannot be parsed"), "{pause:?}");
        }
    }

    #[test]
    fn missing_state_directory_is_not_a_pause() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Pause::read(file.path(), SystemTime::now()), None);
        assert_eq!(Pause::read(Path::new("/no/such"), SystemTime::now()), None);
    }
}
