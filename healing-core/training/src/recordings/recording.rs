//! Recording of one run, and the polls that a sidecar would have made of it.

use std::time::Duration;

use healing_core::observation::{Now, Observation};

use super::case::RecordedCase;
use super::completion::{Completion, Detail};
use super::error::RecordingError;
use super::error::RecordingErrorKind::{Missing, TooLarge};
use super::health::HealthRebuilder;
use super::line;
use super::load::{self, LoadInterval};
use super::sample::RecordedSample;

/// Interval of the polls.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Largest number of samples of a run.
const MAX_SAMPLES: usize = 3600;

/// Largest length of a line, in bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Midnight of the day of the recordings (2026-11-25, UTC), since the Unix epoch.
const MIDNIGHT: Duration = Duration::from_secs(1_795_564_800);

/// One recorded run.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Name of the archive that holds the run.
    pub archive: String,
    /// Load and faults.
    pub case: RecordedCase,
    /// Samples, one a second, in the order of their time.
    pub samples: Vec<RecordedSample>,
    /// Responses that the clients got, in the order of time. Empty if they were not recorded.
    pub load: Vec<LoadInterval>,
}

/// Phase of the polls: the second of the first one, 0–4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phase(u8);

/// One poll of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll<'a> {
    /// Clocks at the poll. The monotonic clock begins with the recording; the wall clock shows the hour
    /// that the app reported.
    pub now: Now,
    /// Observation of the poll, in enforce mode.
    pub observation: Observation,
    /// Sample that the observation is made of.
    pub sample: &'a RecordedSample,
}

// === impl Phase ===

impl Phase {
    /// All phases.
    pub const ALL: [Self; 5] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// Returns the phase that begins at a second, if it is one.
    #[must_use]
    pub fn new(second: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.0 == second)
    }

    /// Returns the time of the first poll, in seconds.
    #[must_use]
    pub fn second(self) -> u8 {
        self.0
    }
}

// === impl Recording ===

impl Recording {
    /// Parses the text of `rec.jsonl`; `file` names it in errors.
    pub(super) fn parse(
        archive: &str,
        case: RecordedCase,
        file: &str,
        text: &str,
    ) -> Result<Self, RecordingError> {
        let mut rebuilder = HealthRebuilder::default();
        let mut samples: Vec<RecordedSample> = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let at = |kind: super::RecordingErrorKind| kind.at(file, index + 1);
            for (unit, found, limit) in [
                ("bytes in a line", text.len(), MAX_LINE_BYTES),
                ("samples", index + 1, MAX_SAMPLES),
            ] {
                if found > limit {
                    let limit = limit as u64;
                    return Err(at(TooLarge { unit, limit }));
                }
            }
            let sample = line::parse(text, &mut rebuilder).map_err(at)?;
            if samples
                .last()
                .is_some_and(|last| last.seconds >= sample.seconds)
            {
                return Err(at(super::RecordingErrorKind::value(
                    sample.seconds,
                    "a time after that of the line before",
                )));
            }
            samples.push(sample);
        }
        if samples.is_empty() {
            return Err(Missing("the first sample").at(file, 0));
        }
        Ok(Self {
            archive: archive.to_owned(),
            case,
            samples,
            load: Vec::new(),
        })
    }

    /// Adds the text of `load.log`; `file` names it in errors.
    pub(super) fn with_load(mut self, file: &str, text: &str) -> Result<Self, RecordingError> {
        for (index, line) in text.lines().enumerate() {
            let interval = load::parse(line).map_err(|kind| kind.at(file, index + 1))?;
            self.load.extend(interval);
        }
        Ok(self)
    }

    /// Returns the polls of a sidecar, one each [`POLL_INTERVAL`]: each from the first sample that is at
    /// most half a second early.
    pub fn polls(&self, phase: Phase, detail: Detail) -> impl Iterator<Item = Poll<'_>> {
        const TOLERANCE: f64 = 0.5;
        let start = MIDNIGHT + Duration::from_secs(3600 * u64::from(self.first_hour()));
        let mut samples = self.samples.iter();
        let mut completion = Completion::new(&self.samples, self.case.transport.as_deref(), detail);
        let mut due = f64::from(phase.0);
        std::iter::from_fn(move || {
            let sample = samples.find(|sample| {
                completion.push(sample);
                sample.seconds >= due - TOLERANCE
            })?;
            while due <= sample.seconds + TOLERANCE {
                due += POLL_INTERVAL.as_secs_f64();
            }
            let monotonic = Duration::from_secs_f64(sample.seconds);
            Some(Poll {
                now: Now {
                    monotonic,
                    wall: start + monotonic,
                },
                observation: completion.observation(sample),
                sample,
            })
        })
    }

    /// Returns the hour of the day that the app reported first, or 0.
    fn first_hour(&self) -> u8 {
        self.samples
            .iter()
            .find_map(|sample| sample.health()?.hour_of_day)
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> RecordedCase {
        RecordedCase::parse(
            br#"{"name": "a", "base": 1, "phases": [], "timeout": 1, "faults": []}"#,
        )
        .unwrap()
    }

    fn parse(text: &str) -> Result<Recording, RecordingError> {
        Recording::parse("archive", case(), "a/rec.jsonl", text)
    }

    fn recording(times: impl IntoIterator<Item = f64>) -> Recording {
        let line = |t| format!("{{\"t\": {t}, \"care\": \"refused\", \"care_s\": 0.0}}\n");
        parse(&times.into_iter().map(line).collect::<String>()).unwrap()
    }

    fn poll_seconds(recording: &Recording, phase: u8) -> Vec<f64> {
        let phase = Phase::new(phase).unwrap();
        recording
            .polls(phase, Detail::Recorded)
            .map(|poll| poll.sample.seconds)
            .collect()
    }

    #[test]
    fn polls_are_five_seconds_apart_from_their_phase() {
        let recording = recording((0..14).map(f64::from));
        assert_eq!(poll_seconds(&recording, 0), [0.0, 5.0, 10.0]);
        assert_eq!(poll_seconds(&recording, 4), [4.0, 9.0]);
        assert_eq!(Phase::new(5), None);
    }

    #[test]
    fn polls_keep_their_rhythm_when_samples_drift_or_are_missing() {
        let drifting = recording((0..14).map(|second| f64::from(second) * 1.04));
        assert_eq!(poll_seconds(&drifting, 0), [0.0, 5.2, 10.4]);
        let gap = recording([0.0, 1.0, 12.0, 13.0, 14.0, 15.0, 16.0]);
        assert_eq!(poll_seconds(&gap, 0), [0.0, 12.0, 15.0]);
    }

    #[test]
    fn wall_clock_shows_the_reported_hour() {
        let text = r#"{"t": 0.0, "care": 200, "care_s": 0.0, "h": {"hour_of_day": 15}}"#;
        let recording = parse(text).unwrap();
        let poll = recording
            .polls(Phase::ALL[0], Detail::Recorded)
            .next()
            .unwrap();
        assert_eq!(poll.now.wall.as_secs() % 86_400 / 3600, 15);
    }

    #[test]
    fn errors_name_file_and_line() {
        let line = r#"{"t": 1.0, "care": "refused", "care_s": 0.0}"#;
        let error = parse(&format!("{line}\n{line}\n")).unwrap_err().to_string();
        assert_eq!(
            error,
            "a/rec.jsonl, line 2: found `1`; expected a time after that of the line before"
        );
        assert_eq!(
            parse("").unwrap_err().to_string(),
            "a/rec.jsonl: the first sample is missing"
        );
        let long = format!("{line}\n{}\n", " ".repeat(MAX_LINE_BYTES + 1));
        let error = parse(&long).unwrap_err().to_string();
        assert_eq!(
            error,
            "a/rec.jsonl, line 2: more than 65536 bytes in a line"
        );
    }
}
