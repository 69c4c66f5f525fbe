//! File with the policy's state and the intent of a hard heal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use healing_core::policy::PolicyState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::intent::Intent;
use crate::files;

/// Version of the schema. No other is accepted, because an older version of the doctor must not
/// misread a newer version's budget.
const SCHEMA: u32 = 1;
/// Keys of the policy's state that change with every poll. They alone do not trigger a write, because
/// an fsync per poll would wear the disk. They are written with the next change, a minute later at most; what a
/// treatment changes in them is written with the treatment.
const VOLATILE_KEYS: [&str; 5] = ["time", "wall", "baseline", "learned", "usual_errors"];
/// Maximum size of a state file, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Content of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    schema: u32,
    /// Budget, cooldowns, seed, and the treatment on probation.
    pub(super) policy: PolicyState,
    /// Intent of an unfinished hard heal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) intent: Option<Intent>,
}

impl Content {
    pub(super) fn new(policy: PolicyState, intent: Option<Intent>) -> Self {
        Self {
            schema: SCHEMA,
            policy,
            intent,
        }
    }

    /// Returns the content without [`VOLATILE_KEYS`].
    fn without_volatile(&self) -> io::Result<Value> {
        let mut value = serde_json::to_value(self).map_err(io::Error::other)?;
        if let Some(policy) = value.get_mut("policy").and_then(Value::as_object_mut) {
            for key in VOLATILE_KEYS {
                policy.remove(key);
            }
        }
        Ok(value)
    }
}

/// Reason why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is too large for a state.
    #[error("state file has {0} bytes, at most {MAX_BYTES} allowed")]
    TooLarge(u64),
    /// The file is from another version of the doctor.
    #[error("state file has schema {0}, {SCHEMA} expected")]
    Schema(u32),
    /// The content is not JSON, or a field is missing or invalid.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

/// The state file, with the result of its last write.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    last: Option<Value>,
    writable: bool,
    /// Set if the directory is lost when the container is recreated.
    ephemeral: bool,
}

impl StateFile {
    /// Opens the file in this directory, and creates the directory if it does not exist.
    pub(super) fn open(dir: &Path) -> Self {
        if let Err(error) = fs::create_dir_all(dir) {
            tracing::warn!(dir = %dir.display(), %error, "cannot create the state directory");
        }
        let file = Self {
            path: dir.join("state.json"),
            last: None,
            writable: true,
            ephemeral: is_ephemeral(dir),
        };
        if file.ephemeral {
            tracing::error!(
                dir = %dir.display(),
                "the state directory is not a volume, so no restart is allowed, because budget and intent would be lost with the container; mount an emptyDir there"
            );
        }
        file
    }

    /// Reads the file. Returns `None` if it does not exist. A file that is not a state of this schema
    /// is moved aside.
    pub(super) fn load(&self) -> Result<Option<Content>, StateError> {
        let result = self.read();
        if let Err(error) = &result {
            let aside = self.path.with_extension("unreadable.json");
            tracing::error!(
                path = %self.path.display(), %error,
                "the saved state is unusable and was moved to {}: restart budget and cooldowns are reset",
                aside.display()
            );
            let _ = fs::rename(&self.path, aside);
        }
        result
    }

    fn read(&self) -> Result<Option<Content>, StateError> {
        let size = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata?.len(),
        };
        if size > MAX_BYTES {
            return Err(StateError::TooLarge(size));
        }
        let content: Content = serde_json::from_slice(&fs::read(&self.path)?)?;
        if content.schema != SCHEMA {
            return Err(StateError::Schema(content.schema));
        }
        Ok(Some(content))
    }

    /// Returns `true` if a restart would be saved, because the last write succeeded and the directory
    /// is persistent.
    pub(super) fn writable(&self) -> bool {
        self.writable && !self.ephemeral
    }

    /// Writes the content if anything but [`VOLATILE_KEYS`] changed.
    pub(super) fn save(&mut self, content: &Content) -> io::Result<()> {
        if self.writable && self.last.as_ref() == Some(&content.without_volatile()?) {
            return Ok(());
        }
        self.write(content)
    }

    /// Writes the content even if nothing changed.
    pub(super) fn write(&mut self, content: &Content) -> io::Result<()> {
        let bytes = serde_json::to_vec(content).map_err(io::Error::other)?;
        let result = files::atomic_write(&self.path, &bytes);
        if result.is_ok() != self.writable {
            match &result {
                Ok(()) => tracing::info!(path = %self.path.display(), "state is writable again"),
                Err(error) => tracing::error!(
                    path = %self.path.display(), %error,
                    "state is not writable; no restart is allowed until it is"
                ),
            }
        }
        self.writable = result.is_ok();
        if self.writable {
            self.last = Some(content.without_volatile()?);
        }
        result
    }
}

/// Returns `true` if, in a pod, the directory is on the container's own file system, which is lost
/// at the next restart. A doctor that loses its budget could restart the app forever.
fn is_ephemeral(dir: &Path) -> bool {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return false;
    }
    match (
        fs::canonicalize(dir),
        fs::read_to_string("/proc/self/mountinfo"),
    ) {
        (Ok(dir), Ok(mounts)) => is_on_root(&dir, &mounts),
        _ => false, // the write fails too, or the mounts are unknown
    }
}

/// Returns `true` if no mount but `/` contains this directory. Comparing device numbers is not
/// enough, because some container runtimes keep root file systems and volumes on the same device.
fn is_on_root(dir: &Path, mountinfo: &str) -> bool {
    !mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|mount| mount != "/" && dir.starts_with(mount))
}

#[cfg(test)]
mod tests {
    use healing_core::config::PolicyConfig;
    use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
    use healing_core::health::{Health, Totals};
    use healing_core::observation::{Circumstances, Now, Observation, PortSockets, ProbeResult};
    use healing_core::policy::Policy;
    use healing_core::policy::Proposer;
    use std::time::Duration;

    use super::*;
    use crate::config::Restart;

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::from_secs(1_000_000 + seconds),
        }
    }

    fn policy() -> Policy {
        Policy::new(PolicyConfig::default(), Proposer::Rules, 1)
    }

    /// Returns a poll of an app that has served 100 requests per second, one in a hundred with an error.
    fn serving(seconds: u64) -> Observation {
        let health = Health {
            instance_id: Some("a".to_owned()),
            uptime: seconds as f64 + 10_000.0,
            started: Some(true),
            totals: Totals {
                requests_total: Some(100 * seconds),
                errors_total: Some(seconds),
                ..Totals::default()
            },
            in_flight: Some(1),
            ..Health::default()
        };
        let quick = Duration::from_millis(1);
        Observation {
            sockets: Some(PortSockets {
                established: 8,
                listening: true,
                received_bytes: Some(10_000),
                ..PortSockets::default()
            }),
            care: ProbeResult::Valid(health, quick),
            front_door: ProbeResult::Valid((), quick),
            circumstances: Circumstances::default(),
        }
    }

    #[test]
    fn state_file_returns_saved_intent() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = StateFile::open(&dir.path().join("made/on/demand"));
        assert!(file.load().unwrap().is_none());
        let intent = Intent {
            instance_id: Some("a".to_owned()),
            pid: Some(7),
            reason: "runtime_stalled".to_owned(),
            wedged: true,
            at_unix_ms: 1,
            restart: Restart::Exit,
        };
        file.save(&Content::new(policy().state(), Some(intent.clone())))
            .unwrap();
        let content = file.load().unwrap().unwrap();
        assert_eq!(content.intent, Some(intent));
    }

    #[test]
    fn state_file_is_written_for_treatment_but_not_for_volatile_keys_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut file = StateFile::open(dir.path());
        let mut policy = policy();
        for poll in 0..200 {
            let now = at(5 * poll);
            policy.step(now, &serving(5 * poll));
            file.save(&Content::new(policy.state(), None)).unwrap();
            // The app has become available by then.
            if poll == 100 {
                fs::remove_file(&path).unwrap();
            }
        }
        assert!(!path.exists(), "nothing has changed but volatile keys");
        let report = TreatmentReport {
            action: Action::RestartService,
            result: TreatmentResult::Started,
        };
        policy.report_treatment(at(1001), report);
        file.save(&Content::new(policy.state(), None)).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn volume_is_distinguished_from_container_file_system() {
        let mounts = "\
            1 0 0:30 / / rw - overlay overlay rw\n\
            2 1 0:31 / /proc rw - proc proc rw\n\
            3 1 8:1 /var/lib/kubelet/pods/x /var/lib/healing rw - ext4 /dev/sda1 rw\n";
        assert!(!is_on_root(Path::new("/var/lib/healing"), mounts));
        assert!(!is_on_root(Path::new("/var/lib/healing/deep"), mounts));
        assert!(is_on_root(Path::new("/var/lib/healing-other"), mounts));
        assert!(is_on_root(Path::new("/state"), mounts));
    }

    #[test]
    fn unreadable_state_file_is_moved_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for content in [&b""[..], b"{", b"null", b"{\"schema\":2}", &[0xff; 100]] {
            fs::write(&path, content).unwrap();
            let file = StateFile::open(dir.path());
            assert!(file.load().is_err(), "{content:?}");
            assert!(file.load().unwrap().is_none(), "the file was moved aside");
        }
    }
}
