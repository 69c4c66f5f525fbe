//! Log of the service's starts and soft heals, one line each.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The process started.
    Start,
    /// The recovery hook ran.
    SoftHeal,
}

/// Line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Kind of the event.
    pub kind: EventKind,
    /// Wall-clock time.
    pub at: SystemTime,
    /// Process id.
    pub pid: u32,
}

/// File of events that all instances of a service append to.
#[derive(Debug, Clone)]
pub struct EventLog(PathBuf);

impl EventLog {
    /// Returns the log in this file, which need not exist.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Appends an event of this process.
    pub(super) fn append(&self, kind: EventKind) {
        let word = match kind {
            EventKind::Start => "start",
            EventKind::SoftHeal => "soft_heal",
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let line = format!("{word} {} {}\n", now.as_millis(), std::process::id());
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.0)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "the event cannot be written");
        }
    }

    /// Returns all events, oldest first.
    #[must_use]
    pub fn read(&self) -> Vec<Event> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().filter_map(parse).collect()
    }
}

fn parse(line: &str) -> Option<Event> {
    let mut words = line.split(' ');
    let kind = match words.next()? {
        "start" => EventKind::Start,
        "soft_heal" => EventKind::SoftHeal,
        _ => return None,
    };
    let at = UNIX_EPOCH + Duration::from_millis(words.next()?.parse().ok()?);
    let pid = words.next()?.parse().ok()?;
    Some(Event { kind, at, pid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_back_and_torn_lines_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        let log = EventLog::at(&path);
        assert!(log.read().is_empty());
        log.append(EventKind::Start);
        log.append(EventKind::SoftHeal);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("start 12");
        std::fs::write(&path, text).unwrap();
        let kinds: Vec<_> = log.read().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Start, EventKind::SoftHeal]);
        assert_eq!(log.read()[0].pid, std::process::id());
    }
}
