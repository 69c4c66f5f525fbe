//! Reader of the sidecar's journal in its state directory, for demo and trials.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

/// Reader of the journal of the sidecar under test.
#[derive(Debug, Clone)]
pub struct JournalReader {
    directory: PathBuf,
}

/// Entry of the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Time of writing, at millisecond resolution.
    pub at: SystemTime,
    kind: String,
    fields: Value,
}

impl JournalReader {
    /// Creates a reader of the journal in a state directory.
    #[must_use]
    pub fn new(state_directory: &Path) -> Self {
        Self {
            directory: state_directory.to_owned(),
        }
    }

    /// Returns all entries, oldest first, without lines that cannot be parsed, such as a torn last one.
    /// There are none before the journal exists.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let entries = |name: &str| -> Vec<Entry> {
            let text = std::fs::read_to_string(self.directory.join(name)).unwrap_or_default();
            text.lines().filter_map(Entry::parse).collect()
        };
        let mut all = entries("journal.1.jsonl");
        all.extend(entries("journal.jsonl"));
        all
    }

    /// Returns the entries since a moment, oldest first.
    #[must_use]
    pub fn since(&self, moment: SystemTime) -> Vec<Entry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.at >= moment);
        entries
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let fields: Value = serde_json::from_str(line).ok()?;
        let at = humantime::parse_rfc3339(fields["at"].as_str()?).ok()?;
        let kind = fields["kind"].as_str()?.to_owned();
        Some(Self { at, kind, fields })
    }

    /// Returns `true` if the entry has this kind.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Returns the reason code of a hard heal that began.
    #[must_use]
    pub fn intent(&self) -> Option<&str> {
        self.fields["reason"].as_str().filter(|_| self.is("intent"))
    }

    /// Returns `true` for a decision that proposes an action, allowed or vetoed.
    #[must_use]
    pub fn proposes(&self) -> bool {
        self.verdict()
            .is_some_and(|verdict| verdict != "no_proposal")
    }

    /// Returns `true` for a decision that allows this action.
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        self.verdict() == Some("allowed") && self.fields["decision"]["action"] == action
    }

    /// Returns the reason code of a decision that allows this action.
    #[must_use]
    pub fn allowed_reason(&self, action: &str) -> Option<&str> {
        self.fields["decision"]["reason"]
            .as_str()
            .filter(|_| self.allows(action))
    }

    /// Returns the headline of the vetoes of a vetoed decision.
    #[must_use]
    pub fn veto(&self) -> Option<String> {
        let reason = self.fields["decision"]["reason"].as_str();
        reason
            .filter(|_| self.verdict() == Some("vetoed"))
            .map(str::to_owned)
    }

    /// Returns `true` if this treatment was begun.
    #[must_use]
    pub fn carried_out(&self, action: &str) -> bool {
        let treatment = &self.fields["treatment"];
        self.is("treatment") && treatment["action"] == action && treatment["result"] != "aborted"
    }

    /// Returns the outcome of an earlier treatment.
    #[must_use]
    pub fn outcome(&self) -> Option<String> {
        self.fields["outcome"]
            .as_str()
            .filter(|_| self.is("outcome"))
            .map(str::to_owned)
    }

    /// Returns the doctor's explanation of a decision.
    #[must_use]
    pub fn explanation(&self) -> &str {
        self.fields["explanation"]
            .as_str()
            .unwrap_or("(no explanation)")
    }

    /// Returns verdict, proposal and reason of a decision, or `None` for other entries.
    #[must_use]
    pub fn headline(&self) -> Option<String> {
        let decision = &self.fields["decision"];
        let word = |key: &str| decision[key].as_str().unwrap_or_default();
        self.verdict()
            .map(|verdict| format!("{verdict} {} {}", word("proposed"), word("reason")))
    }

    fn verdict(&self) -> Option<&str> {
        self.fields["decision"]["verdict"]
            .as_str()
            .filter(|_| self.is("decision"))
    }
}
