//! Recordings: one file per utilisation, with the parameters in the first line and one line per second.

use std::fs;
use std::path::{Path, PathBuf};

use healing_core::health::Health;
use serde::{Deserialize, Serialize};

use super::error::CalibrationError;

/// Real or simulated app under one load.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recording {
    /// Parameters.
    pub(super) parameters: Parameters,
    /// Figures of each second, in order.
    pub(super) seconds: Vec<Second>,
}

/// Parameters of a recording, from which it is simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// Name of the app.
    pub(super) name: String,
    /// Arrival rate relative to `capacity`.
    pub(super) utilisation: f64,
    /// Arrival rate in requests per second, of a Poisson process.
    pub(super) rate: f64,
    /// Length in seconds.
    pub(super) seconds: f64,
    /// Time limit of a client in seconds.
    pub(super) client_timeout: f64,
    /// Worker threads of the app's runtime.
    pub(super) workers: u32,
    /// CPU limit in cores.
    pub(super) quota: f64,
    /// Cores of the machine.
    pub(super) machine_cores: f64,
    /// Cores that the idle app uses.
    pub(super) background_cores: f64,
    /// CPU time of the whole process per request in seconds, without the background.
    pub(super) cpu_per_request: f64,
    /// Requests per second that the app served to a closed loop.
    pub(super) capacity: f64,
    /// Largest delay between an intended and the actual start of a request, in seconds.
    pub(super) generator_lag: f64,
}

/// Figures at the end of a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Second {
    /// Time since the start of the load, in seconds.
    pub(super) at: f64,
    /// Result of the last finished probe of the front door.
    pub(super) front_door: FrontDoor,
    /// Quota periods in which the app was throttled, so far.
    pub(super) throttled_periods: u64,
    /// Requests that were served before their client left, so far.
    pub(super) client_ok: u64,
    /// Requests that failed for their client, so far.
    pub(super) client_failed: u64,
    /// Response of `GET /health` on the care port; absent if there was none in time.
    pub(super) health: Option<Health>,
}

/// Result of a probe of the front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FrontDoor {
    /// No probe has finished yet.
    Unknown,
    /// A response within the limit of the doctor's probes.
    InTime,
    /// No response within the limit.
    Late,
}

// === impl Recording ===

impl Recording {
    /// Reads the recordings of a directory, in the order of app and utilisation.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory or a file cannot be read, or if a line is invalid.
    pub(super) fn read_all(directory: &Path) -> Result<Vec<Self>, CalibrationError> {
        let failed = |error| CalibrationError::File(directory.to_owned(), error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Result<Self, CalibrationError> {
        let text = fs::read_to_string(path)
            .map_err(|error| CalibrationError::File(path.to_owned(), error))?;
        let mut lines = (1..).zip(text.lines());
        let invalid = |number| {
            move |error| CalibrationError::Line {
                path: path.to_owned(),
                number,
                error,
            }
        };
        let (_, first) = lines.next().unwrap_or((1, ""));
        Ok(Self {
            parameters: serde_json::from_str(first).map_err(invalid(1))?,
            seconds: lines
                .map(|(number, line)| serde_json::from_str(line).map_err(invalid(number)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Writes the recording to its file in a directory. Returns the path.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(super) fn write(&self, directory: &Path) -> Result<PathBuf, CalibrationError> {
        let Parameters {
            name, utilisation, ..
        } = &self.parameters;
        let path = directory.join(format!("{name}-{utilisation:.1}.jsonl"));
        let mut text = serde_json::to_string(&self.parameters)?;
        for second in &self.seconds {
            text += "\n";
            text += &serde_json::to_string(second)?;
        }
        text += "\n";
        fs::write(&path, text).map_err(|error| CalibrationError::File(path.clone(), error))?;
        Ok(path)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::calibration) fn parameters() -> Parameters {
        Parameters {
            name: "app".to_owned(),
            utilisation: 0.7,
            rate: 35.0,
            seconds: 60.0,
            client_timeout: 2.0,
            workers: 1,
            quota: 0.5,
            machine_cores: 2.0,
            background_cores: 0.01,
            cpu_per_request: 0.01,
            capacity: 50.0,
            generator_lag: 0.001,
        }
    }

    #[test]
    fn recording_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let second = |at, front_door, health| Second {
            at,
            front_door,
            throttled_periods: 3,
            client_ok: 2,
            client_failed: 1,
            health,
        };
        let recording = Recording {
            parameters: parameters(),
            seconds: vec![
                second(1.0, FrontDoor::Unknown, None),
                second(2.0, FrontDoor::Late, Some(Health::default())),
            ],
        };
        let path = recording.write(directory.path()).unwrap();
        assert!(path.ends_with("app-0.7.jsonl"));
        let read = Recording::read_all(directory.path()).unwrap();
        assert_eq!(read, [recording]);

        fs::write(&path, "{}\n").unwrap();
        let error = Recording::read_all(directory.path()).unwrap_err();
        assert!(
            error.to_string().contains("app-0.7.jsonl, line 1: "),
            "{error}"
        );
    }
}
