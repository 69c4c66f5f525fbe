//! What the sidecar writes down: its journal, read as anybody would.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

/// The journal of the sidecar under test.
#[derive(Debug, Clone)]
pub struct Doctor {
    journal: PathBuf,
}

/// One entry of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When it was written.
    pub at: SystemTime,
    kind: String,
    fields: Value,
}

impl Doctor {
    /// The one that keeps its state in this directory.
    #[must_use]
    pub fn of(state: &Path) -> Self {
        Self {
            journal: state.join("journal.jsonl"),
        }
    }

    /// Entries since a moment, oldest first; none where there is no journal yet.
    #[must_use]
    pub fn since(&self, moment: SystemTime) -> Vec<Entry> {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        text.lines()
            .filter_map(Entry::parse)
            .filter(|entry| entry.at >= moment)
            .collect()
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let fields: Value = serde_json::from_str(line).ok()?;
        let at = humantime::parse_rfc3339(fields["at"].as_str()?).ok()?;
        let kind = fields["kind"].as_str()?.to_owned();
        Some(Self { at, kind, fields })
    }

    /// What the doctor decided to do, allowed or not; nothing where it was quiet.
    #[must_use]
    pub fn proposes(&self) -> bool {
        self.verdict().is_some_and(|verdict| verdict != "quiet")
    }

    /// A decision to carry this action out.
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        self.verdict() == Some("allowed") && self.fields["decision"]["action"] == action
    }

    /// The headline of the vetoes, where a decision was vetoed.
    #[must_use]
    pub fn veto(&self) -> Option<String> {
        let reason = self.fields["decision"]["reason"].as_str();
        reason
            .filter(|_| self.verdict() == Some("vetoed"))
            .map(str::to_owned)
    }

    /// This treatment was begun.
    #[must_use]
    pub fn carried_out(&self, action: &str) -> bool {
        let treatment = &self.fields["treatment"];
        self.kind == "treatment"
            && treatment["action"] == action
            && treatment["result"] != "aborted"
    }

    /// How an earlier treatment was judged.
    #[must_use]
    pub fn outcome(&self) -> Option<String> {
        self.fields["outcome"]
            .as_str()
            .filter(|_| self.kind == "outcome")
            .map(str::to_owned)
    }

    /// The decision in the doctor's own words.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.fields["explanation"]
            .as_str()
            .unwrap_or("(no explanation)")
    }

    /// What two decisions have in common that say the same; nothing for other entries.
    #[must_use]
    pub fn headline(&self) -> Option<String> {
        let decision = &self.fields["decision"];
        self.verdict()
            .map(|verdict| format!("{verdict} {} {}", decision["proposed"], decision["reason"]))
    }

    fn verdict(&self) -> Option<&str> {
        self.fields["decision"]["verdict"]
            .as_str()
            .filter(|_| self.kind == "decision")
    }
}
