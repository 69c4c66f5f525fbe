//! Output of app and sidecar and events of the pod, which are shown only after a failure.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use healing_cli::pod::{LineSink, Role};

/// Maximum number of lines that are kept.
const KEPT_LINES: usize = 400;

/// The last lines of the pod's children.
#[derive(Debug, Clone, Default)]
pub struct LogBuffer {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl LogBuffer {
    /// Returns a sink that adds the lines of the pod's children.
    pub(super) fn sink(&self) -> LineSink {
        let buffer = self.clone();
        Arc::new(move |role: Role, line: &str| buffer.push(role.as_str(), line))
    }

    /// Adds a line and the name of its source.
    pub(super) fn push(&self, source: &str, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(format!("{source:<7} | {line}"));
    }

    /// Returns the last `count` lines.
    pub fn last(&self, count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lines.len().saturating_sub(count);
        lines.iter().skip(first).cloned().collect()
    }
}
