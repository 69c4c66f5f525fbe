//! Text log of decisions: one line per change, from public decision data only.

use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::decision::{DecidedBy, Decision, Reason, Verdict};

use crate::values::Change;

/// Log that is being written.
pub(crate) struct Log {
    text: String,
    /// Current sequence of equal decisions: its start, its line, and its number of polls.
    current: Option<(Duration, String, u32)>,
    full_budget: u32,
}

impl Log {
    pub(crate) fn new(case: Option<&str>) -> Self {
        Self {
            text: case.map_or_else(String::new, |name| format!("case {name}\n")),
            current: None,
            full_budget: PolicyConfig::default().permission.budget,
        }
    }

    pub(crate) fn changes(&mut self, time: Duration, changes: &[Change]) {
        self.flush();
        let words: Vec<_> = changes.iter().map(|change| change.text.as_str()).collect();
        self.line(time, &format!("> {}", words.join(" ")));
    }

    pub(crate) fn decision(&mut self, time: Duration, decision: &Decision) {
        if let Some(concluded) = decision.concluded {
            self.flush();
            self.line(
                time,
                &format!(
                    "= {} {} after {}",
                    concluded.action,
                    concluded.outcome,
                    seconds(concluded.recovery)
                ),
            );
        }
        let line = self.describe(decision);
        match &mut self.current {
            Some((_, current, polls)) if *current == line => *polls += 1,
            _ => {
                self.flush();
                self.current = Some((time, line, 1));
            }
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.flush();
        self.text
    }

    fn describe(&self, decision: &Decision) -> String {
        let mut line = format!(
            "{:<8}  {:<15}  {:<11}  {}",
            decision.lane.as_str(),
            decision.proposed.as_str(),
            decision.verdict.as_str(),
            decision.reason
        );
        if decision.verdict == Verdict::Vetoed {
            let vetoes: Vec<_> = decision.vetoes.iter().map(Reason::as_str).collect();
            line += &format!("  for={} vetoes={}", decision.evidence, vetoes.join(","));
        }
        if decision.decided_by != DecidedBy::Rules {
            line += &format!("  by={}", decision.decided_by);
        }
        if decision.wedged {
            line += "  wedged";
        }
        if decision.budget_remaining != self.full_budget {
            line += &format!("  budget={}", decision.budget_remaining);
        }
        line
    }

    fn flush(&mut self) {
        if let Some((time, mut line, polls)) = self.current.take() {
            if polls > 1 {
                line += &format!("  ×{polls}");
            }
            self.line(time, &line);
        }
    }

    fn line(&mut self, time: Duration, line: &str) {
        self.text += &format!("{:>9}  {line}\n", seconds(time));
    }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}
