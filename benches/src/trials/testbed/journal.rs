//! The doctor's journal, for the reasons and outcomes that the table shows.

use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Time of the entry.
    pub(super) at: SystemTime,
    kind: String,
    fields: Value,
}

/// Returns all entries of a state directory, oldest first; torn lines are skipped.
pub(super) fn read(state: &Path) -> Vec<Entry> {
    ["journal.1.jsonl", "journal.jsonl"]
        .iter()
        .map(|name| std::fs::read_to_string(state.join(name)).unwrap_or_default())
        .collect::<String>()
        .lines()
        .filter_map(parse)
        .collect()
}

fn parse(line: &str) -> Option<Entry> {
    let fields: Value = serde_json::from_str(line).ok()?;
    let at = humantime::parse_rfc3339(fields["at"].as_str()?).ok()?;
    let kind = fields["kind"].as_str()?.to_owned();
    Some(Entry { at, kind, fields })
}

impl Entry {
    /// Reports if the entry has this kind.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Returns the reason of a hard heal that began.
    pub(super) fn intent(&self) -> Option<&str> {
        self.fields["reason"].as_str().filter(|_| self.is("intent"))
    }

    /// Returns the reason of a decision to carry out this action.
    pub(super) fn allowed(&self, action: &str) -> Option<&str> {
        let decision = &self.fields["decision"];
        let allows =
            self.is("decision") && decision["verdict"] == "allowed" && decision["action"] == action;
        decision["reason"].as_str().filter(|_| allows)
    }

    /// Returns the verified outcome of a treatment.
    pub(super) fn outcome(&self) -> Option<&str> {
        self.fields["outcome"]
            .as_str()
            .filter(|_| self.is("outcome"))
    }

    /// Returns the headline of a decision: verdict, proposed action and reason.
    pub(super) fn headline(&self) -> Option<String> {
        let decision = &self.fields["decision"];
        let word = |key: &str| decision[key].as_str().unwrap_or_default().to_owned();
        self.is("decision").then(|| {
            format!(
                "{} {} {}",
                word("verdict"),
                word("proposed"),
                word("reason")
            )
        })
    }
}
