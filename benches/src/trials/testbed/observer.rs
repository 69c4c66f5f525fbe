//! Observer of a run: events of the service, output of the pod, and the doctor's journal.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::log::Log;
use crate::journal::{Entry, JournalReader};
use crate::service::{Event, EventKind, EventLog};

/// Largest distance between a line of the pod and a journal entry about the same event.
const APART: Duration = Duration::from_secs(1);

/// Observer of a run.
#[derive(Debug)]
pub(in crate::trials) struct Observer {
    events: EventLog,
    journal: JournalReader,
    log: Log,
}

impl Observer {
    pub(super) fn new(events: &Path, state_directory: &Path, log: Log) -> Self {
        Self {
            events: EventLog::at(events),
            journal: JournalReader::new(state_directory),
            log,
        }
    }

    fn events(&self, kind: EventKind) -> Vec<Event> {
        let mut events = self.events.read();
        events.retain(|event| event.kind == kind);
        events
    }

    /// Returns the number of the app's starts so far.
    pub(in crate::trials) fn app_starts(&self) -> usize {
        self.events(EventKind::Start).len()
    }

    /// Returns the process id of the app's current instance.
    pub(in crate::trials) fn app_pid(&self) -> Option<i32> {
        i32::try_from(self.events(EventKind::Start).last()?.pid).ok()
    }

    /// Returns the process id of the current doctor.
    pub(in crate::trials) fn doctor_pid(&self) -> Option<i32> {
        self.log.doctor_pid()
    }

    /// Returns the number of the doctor's exits with 88 so far.
    pub(in crate::trials) fn restarts(&self) -> usize {
        self.log.restarts().len()
    }

    /// Returns the times of the doctor's exits with 88, each with the reason code in the journal.
    pub(super) fn restarts_with_reasons(&self) -> Vec<(SystemTime, String)> {
        let journal = self.journal.entries();
        let restarts = self.log.restarts().into_iter();
        restarts
            .map(|at| (at, last_reason(&journal, at, Entry::intent)))
            .collect()
    }

    /// Returns the times at which the recovery hook ran, each with the reason code in the journal.
    pub(super) fn soft_heals_with_reasons(&self) -> Vec<(SystemTime, String)> {
        let journal = self.journal.entries();
        let reason = |at| last_reason(&journal, at, |entry| entry.allowed_reason("reset_errors"));
        let soft_heals = self.events(EventKind::SoftHeal).into_iter();
        soft_heals
            .map(|event| (event.at, reason(event.at)))
            .collect()
    }

    /// Returns the outcomes of the treatments, as the doctor verified them.
    pub(super) fn outcomes(&self) -> Vec<String> {
        let entries = self.journal.entries();
        entries.iter().filter_map(Entry::outcome).collect()
    }

    /// Returns `true` if the journal has an entry of this kind since a moment.
    pub(super) fn has_entry(&self, kind: &str, since: SystemTime) -> bool {
        self.journal.since(since).iter().any(|entry| entry.is(kind))
    }

    /// Returns the last headlines of the doctor's decisions.
    pub(in crate::trials) fn headlines(&self, number: usize) -> Vec<String> {
        let entries = self.journal.entries();
        let mut headlines: Vec<String> = entries.iter().filter_map(Entry::headline).collect();
        headlines.split_off(headlines.len().saturating_sub(number))
    }
}

/// Returns the last reason code before a moment, or an empty text if there is none.
fn last_reason(
    journal: &[Entry],
    at: SystemTime,
    reason: impl Fn(&Entry) -> Option<&str>,
) -> String {
    let until = at + APART;
    let before = journal.iter().rev().filter(|entry| entry.at <= until);
    before
        .filter_map(reason)
        .next()
        .map_or_else(String::new, str::to_owned)
}
