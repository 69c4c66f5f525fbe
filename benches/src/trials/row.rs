//! Result of a case, as a line of JSON and as rows of the table.

use serde::{Deserialize, Serialize};

use super::cases::TrialCase;
use super::judge::{Judgement, Kind, Observed};

/// Result of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Run {
    /// Transport of the clients.
    pub(super) transport: String,
    /// Timeout of the clients, in milliseconds.
    pub(super) patience_ms: u64,
    /// Measured capacity, or 0 if the case does not need it.
    pub(super) capacity_per_second: f64,
    /// Largest delay of the load generator.
    pub(super) generator_lag_ms: u64,
    /// Observations that are judged.
    pub(super) observed: Observed,
    /// Judgement of the observations.
    pub(super) judgement: Judgement,
    /// Headlines of the doctor's last decisions.
    pub(super) decisions: Vec<String>,
    /// Set if the instrument itself failed.
    pub(super) instrument_failed: bool,
}

/// Result of a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    /// Name of the case.
    pub(super) case: String,
    /// Factor by which times were shortened.
    pub(super) time_scale: f64,
    /// Stub in place of the doctor.
    #[serde(default)]
    pub(super) decider: Option<String>,
    /// Right treatment, as text.
    pub(super) expected: String,
    /// Set if all runs are right.
    pub(super) right: bool,
    /// One run per client.
    pub(super) runs: Vec<Run>,
}

/// Totals of several cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Number of cases that are right.
    pub(super) right: u32,
    /// Number of cases.
    pub(super) total: u32,
    /// Number of restarts above the maximum of their case.
    pub(super) false_restarts: u32,
    /// Number of soft heals above the maximum of their case.
    pub(super) false_soft_heals: u32,
}

impl Row {
    /// Returns the result of a case, which is right if all its runs are.
    pub(super) fn new(case: &TrialCase, time_scale: f64, runs: Vec<Run>) -> Self {
        Self {
            case: case.name.to_owned(),
            time_scale,
            decider: None,
            expected: case.expected.to_string(),
            right: !runs.is_empty() && runs.iter().all(|run| run.judgement.is_right()),
            runs,
        }
    }

    /// Returns `true` if the instrument failed in at least one run.
    pub(super) fn instrument_failed(&self) -> bool {
        self.runs.iter().any(|run| run.instrument_failed)
    }
}

impl Run {
    /// Formats the treatments.
    pub(super) fn treatments(&self) -> String {
        let treatments = self.observed.treatments.iter().map(|treatment| {
            let kind = match treatment.kind {
                Kind::SoftHeal => "soft",
                Kind::Restart => "restart",
            };
            let reason = match treatment.reason.as_str() {
                "" => String::new(),
                reason => format!(" {reason}"),
            };
            format!("{kind} {:+.0} s{reason}", treatment.seconds)
        });
        let done: Vec<String> = treatments.collect();
        if done.is_empty() {
            return "nothing".to_owned();
        }
        done.join(", ")
    }

    /// Formats the run as a row of the Markdown table.
    fn table_row(&self, row: &Row) -> String {
        let verdict = if self.judgement.is_right() {
            "right".to_owned()
        } else {
            format!("**wrong**: {}", self.judgement.wrong.join("; "))
        };
        let first = self.observed.treatments.iter().find(|t| t.seconds >= 0.0);
        let seconds = first.map_or("–".to_owned(), |first| format!("{:.0}", first.seconds));
        format!(
            "| {} | {}, {:.1} s | {} | {} | {seconds} | {} | {verdict} |",
            row.case,
            self.transport,
            std::time::Duration::from_millis(self.patience_ms).as_secs_f64(),
            row.expected,
            self.treatments(),
            self.observed.requests,
        )
    }
}

/// Formats the rows as a Markdown table.
pub(super) fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "| case | clients | expected | done | first after | failed requests | judgement |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in rows {
        lines.extend(row.runs.iter().map(|run| run.table_row(row)));
    }
    lines.push(String::new());
    lines.join("\n")
}

impl Totals {
    /// Counts the results of these rows.
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut totals = Self::default();
        for row in rows {
            totals.total += 1;
            totals.right += u32::from(row.right);
            for run in &row.runs {
                totals.false_restarts += run.judgement.false_restarts;
                totals.false_soft_heals += run.judgement.false_soft_heals;
            }
        }
        totals
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "RESULT trials_right {} cases", self.right)?;
        writeln!(f, "RESULT trials_total {} cases", self.total)?;
        writeln!(
            f,
            "RESULT trials_false_restarts {} restarts",
            self.false_restarts
        )?;
        writeln!(
            f,
            "RESULT trials_false_soft_heals {} heals",
            self.false_soft_heals
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trials::cases::CASES;

    fn run(wrong: &[&str], false_restarts: u32) -> Run {
        Run {
            transport: "keep-alive".to_owned(),
            patience_ms: 500,
            capacity_per_second: 0.0,
            generator_lag_ms: 0,
            observed: Observed::default(),
            judgement: Judgement {
                wrong: wrong.iter().map(|&text| text.to_owned()).collect(),
                false_restarts,
                false_soft_heals: 0,
            },
            decisions: Vec::new(),
            instrument_failed: false,
        }
    }

    #[test]
    fn case_is_right_only_if_all_runs_are() {
        let right = Row::new(CASES[0], 4.0, vec![run(&[], 0), run(&[], 0)]);
        let wrong = Row::new(CASES[0], 4.0, vec![run(&[], 0), run(&["late"], 2)]);
        let none = Row::new(CASES[0], 4.0, Vec::new());
        assert!(right.right && !wrong.right && !none.right);
        let totals = Totals::of(&[right, wrong, none]);
        assert_eq!(
            (totals.right, totals.total, totals.false_restarts),
            (1, 3, 2)
        );
    }

    #[test]
    fn rows_are_read_back_from_json() {
        let row = Row::new(CASES[0], 4.0, vec![run(&["late"], 1)]);
        let json = serde_json::to_string(&row).unwrap();
        let read: Row = serde_json::from_str(&json).unwrap();
        assert_eq!((read.case, read.right), (row.case, false));
        assert!(
            table(&[Row::new(CASES[0], 4.0, vec![run(&["late"], 1)])]).contains("**wrong**: late")
        );
    }
}
