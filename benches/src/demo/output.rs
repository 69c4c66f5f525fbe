//! What app and sidecar print and what happens to them: kept, and shown only when something goes wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use healing_cli::pod::{LineSink, Role};

/// Lines that are kept.
const KEPT: usize = 400;

/// The last lines of the pod's children.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Logs {
    /// Takes lines.
    pub(super) fn sink(&self) -> LineSink {
        let logs = self.clone();
        Arc::new(move |role: Role, line: &str| logs.add(role.as_str(), line))
    }

    /// A line of somebody's.
    pub(super) fn add(&self, whose: &str, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(format!("{whose:<7} | {line}"));
    }

    /// The last `count` lines.
    pub fn last(&self, count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lines.len().saturating_sub(count);
        lines.iter().skip(first).cloned().collect()
    }
}
