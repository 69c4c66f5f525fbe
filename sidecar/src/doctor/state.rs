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
use serde_json::Value;

use crate::config::Restart;
use crate::files;

/// A reader accepts only its own: an older doctor must not guess at a newer one's budget.
const SCHEMA: u32 = 1;
/// Parts of the policy's state that move with every poll. In the file they may be as old as its
/// last write: an fsync four times a second would wear a node's disk for nothing.
const DRIFTING: [&str; 3] = ["time", "wall", "baseline"];
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
    /// By which way.
    #[serde(default)]
    pub(super) restart: Restart,
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
    last: Option<Value>,
    writable: bool,
    /// The directory ends with the container: what is written there is not remembered.
    passing: bool,
}

impl StateFile {
    /// The file in this directory, which is made if it does not exist.
    pub(super) fn open(dir: &Path) -> Self {
        if let Err(error) = fs::create_dir_all(dir) {
            tracing::warn!(dir = %dir.display(), %error, "cannot make the state directory");
        }
        let file = Self {
            path: dir.join("state.json"),
            last: None,
            writable: true,
            passing: ends_with_the_container(dir),
        };
        if file.passing {
            tracing::error!(
                dir = %dir.display(),
                "the state directory is no volume: budget and intent would be lost with the container, so no restart is allowed; mount an emptyDir there"
            );
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

    /// Whether a restart would be remembered: the last write succeeded, and what is written stays.
    pub(super) fn writable(&self) -> bool {
        self.writable && !self.passing
    }

    /// Write if anything changed that a later process must know.
    pub(super) fn save(&mut self, saved: &Saved) -> io::Result<()> {
        if self.writable && self.last.as_ref() == Some(&lasting(saved)?) {
            return Ok(());
        }
        self.save_afresh(saved)
    }

    /// Write even if nothing changed: a directory that has become read-only is noticed before a
    /// restart depends on it.
    pub(super) fn save_afresh(&mut self, saved: &Saved) -> io::Result<()> {
        let bytes = serde_json::to_vec(saved).map_err(io::Error::other)?;
        let written = files::atomic_write(&self.path, &bytes);
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
            self.last = Some(lasting(saved)?);
        }
        written
    }
}

/// The state without what drifts.
fn lasting(saved: &Saved) -> io::Result<Value> {
    let mut value = serde_json::to_value(saved).map_err(io::Error::other)?;
    if let Some(policy) = value.get_mut("policy").and_then(Value::as_object_mut) {
        for key in DRIFTING {
            policy.remove(key);
        }
    }
    Ok(value)
}

/// In a pod, a directory on the container's own file system is gone at the next restart: a doctor
/// that forgets its restarts could restart the app for ever.
fn ends_with_the_container(dir: &Path) -> bool {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return false;
    }
    match (
        fs::canonicalize(dir),
        fs::read_to_string("/proc/self/mountinfo"),
    ) {
        (Ok(dir), Ok(mounts)) => is_on_root(&dir, &mounts),
        _ => false, // then writing fails too, or nothing can be told
    }
}

/// Whether no mount but `/` holds this directory. (Device numbers would not tell: some container
/// runtimes keep root file systems and volumes on the same device.)
fn is_on_root(dir: &Path, mountinfo: &str) -> bool {
    !mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|mount| mount != "/" && dir.starts_with(mount))
}

#[cfg(test)]
mod tests {
    use healing_core::brain::Proposer;
    use healing_core::config::PolicyConfig;
    use healing_core::decision::{Action, Treatment, TreatmentResult};
    use healing_core::observation::Now;
    use healing_core::policy::Policy;
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::from_secs(1_000_000 + seconds),
        }
    }

    fn policy() -> Policy {
        Policy::new(PolicyConfig::default(), Proposer::Rules, 1)
    }

    #[test]
    fn what_was_saved_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = StateFile::open(&dir.path().join("made/on/demand"));
        assert!(matches!(file.load(), Found::Nothing));
        let intent = Intent {
            instance_id: Some("a".to_owned()),
            pid: Some(7),
            reason: "runtime_stalled".to_owned(),
            wedged: true,
            at_unix_ms: 1,
            restart: Restart::Exit,
        };
        file.save(&Saved::new(policy().state(), Some(intent.clone())))
            .unwrap();
        match file.load() {
            Found::State(saved) => assert_eq!(saved.intent, Some(intent)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn passing_time_alone_is_not_written_but_a_treatment_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut file = StateFile::open(dir.path());
        let mut policy = policy();
        let observation = healing_core::observation::Observation {
            care: healing_core::observation::ProbeResult::Refused,
            front_door: healing_core::observation::ProbeResult::Refused,
            circumstances: healing_core::observation::Circumstances::default(),
        };
        policy.step(at(0), &observation);
        file.save(&Saved::new(policy.state(), None)).unwrap();
        fs::remove_file(&path).unwrap();
        policy.step(at(5), &observation);
        file.save(&Saved::new(policy.state(), None)).unwrap();
        assert!(!path.exists(), "nothing has changed but the time");
        let report = Treatment {
            action: Action::RestartService,
            result: TreatmentResult::Started,
        };
        policy.report_treatment(at(6), report);
        file.save(&Saved::new(policy.state(), None)).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_volume_is_told_from_the_containers_own_file_system() {
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
    fn what_is_no_state_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for content in [&b""[..], b"{", b"null", b"{\"schema\":2}", &[0xff; 100]] {
            fs::write(&path, content).unwrap();
            let file = StateFile::open(dir.path());
            assert!(matches!(file.load(), Found::Unreadable(_)), "{content:?}");
            assert!(
                matches!(file.load(), Found::Nothing),
                "it is out of the way"
            );
        }
    }
}
