//! From the traces of a run to what is judged.

use std::time::{Duration, SystemTime};

use super::bed::Bed;
use super::journal::Entry;
use crate::service::EventKind;
use crate::trials::judge::{Kind, Observed, Treatment};

/// Part of the run, at its end, over which the share of served requests is taken.
const END_PART: f64 = 0.15;
/// A line of the pod and an entry of the journal about the same event may be this far apart.
const APART: Duration = Duration::from_secs(1);

impl Bed {
    /// Returns everything that is judged.
    pub(in crate::trials) fn observe(&self) -> Observed {
        let fault_at = self.fault_at.unwrap_or(SystemTime::UNIX_EPOCH);
        let journal = self.journal();
        let mut treatments: Vec<Treatment> = Vec::new();
        for at in self.log.restarts() {
            treatments.push(Treatment {
                kind: Kind::Restart,
                seconds: self.seconds_after(fault_at, at),
                reason: reason(&journal, at, Entry::intent),
            });
        }
        let events = self.events.read();
        let soft_heals = events.iter().filter(|e| e.kind == EventKind::SoftHeal);
        for event in soft_heals {
            treatments.push(Treatment {
                kind: Kind::SoftHeal,
                seconds: self.seconds_after(fault_at, event.at),
                reason: reason(&journal, event.at, |e| e.allowed("reset_errors")),
            });
        }
        treatments.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
        let outcomes = journal.iter().filter_map(Entry::outcome);
        let mut observed = Observed {
            treatments,
            outcomes: outcomes.map(str::to_owned).collect(),
            problems: self.problems.clone(),
            ..Observed::default()
        };
        if let Some(load) = &self.load {
            let recorder = load.recorder();
            let started = SystemTime::now() - recorder.start().elapsed();
            let fault = fault_at.duration_since(started).unwrap_or_default();
            let after = fault..Duration::MAX;
            let last_part = self.end.mul_f64(1.0 - END_PART)..Duration::MAX;
            observed.requests = recorder.counts(&after);
            observed.at_end = recorder.counts(&last_part);
            let millis = |quantile| {
                let latency = recorder.latency(quantile, &after)?;
                u64::try_from(latency.as_millis()).ok()
            };
            (observed.p50_ms, observed.p99_ms) = (millis(0.5), millis(0.99));
        }
        observed
    }

    /// Returns the number of failures of the generator itself, and its worst delay.
    pub(in crate::trials) fn generator(&self) -> (u64, Duration) {
        self.load.as_ref().map_or_else(Default::default, |load| {
            let recorder = load.recorder();
            let counts = recorder.counts(&(Duration::ZERO..Duration::MAX));
            (counts.client, recorder.worst_lag())
        })
    }

    /// Returns the last headlines of the doctor's decisions, for people.
    pub(in crate::trials) fn headlines(&self, number: usize) -> Vec<String> {
        let entries = self.journal();
        let headlines: Vec<String> = entries.iter().filter_map(Entry::headline).collect();
        let first = headlines.len().saturating_sub(number);
        headlines.into_iter().skip(first).collect()
    }

    /// Seconds at scale 1; negative before the fault.
    fn seconds_after(&self, fault: SystemTime, at: SystemTime) -> f64 {
        let real = match at.duration_since(fault) {
            Ok(after) => after.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        };
        real * self.surroundings.scale
    }
}

/// Returns the last reason before this moment.
fn reason(journal: &[Entry], at: SystemTime, of: impl Fn(&Entry) -> Option<&str>) -> String {
    let until = at + APART;
    let before = journal.iter().rev().filter(|entry| entry.at <= until);
    before
        .filter_map(of)
        .next()
        .map_or_else(String::new, str::to_owned)
}
