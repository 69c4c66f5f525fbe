//! Results of earlier invocations, and the remaining time.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::cases::TrialCase;
use super::row::Row;
use super::stub::Stub;

/// Time for start, measurement and stop of a run, which the time scale does not shorten.
const OVERHEAD: Duration = Duration::from_secs(8);

/// Returns the rows of a file that were measured at this time scale with this decider. Lines that cannot be
/// parsed are skipped, because the last one may be torn.
pub(super) fn completed(file: &Path, time_scale: f64, decider: Option<Stub>) -> Vec<Row> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<Row>(line).ok())
        .filter(|row| (row.time_scale - time_scale).abs() < 1e-9)
        .filter(|row| row.decider.as_deref() == decider.map(Stub::as_str))
        .collect()
}

/// Appends a row to a file.
pub(super) fn append(file: &Path, row: &Row) -> std::io::Result<()> {
    let mut line = serde_json::to_string(row)?;
    line.push('\n');
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)?
        .write_all(line.as_bytes())
}

/// Estimates the time that these cases take.
pub(super) fn remaining(cases: &[&TrialCase], time_scale: f64, first_transport: bool) -> Duration {
    let of = |case: &&TrialCase| {
        let runs = if first_transport {
            1
        } else {
            case.clients.len()
        };
        let run = Duration::from_secs(case.seconds.into()).div_f64(time_scale) + OVERHEAD;
        run * u32::try_from(runs).unwrap_or(u32::MAX)
    };
    cases.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trials::cases::CASES;

    #[test]
    fn resumed_run_skips_cases_of_the_same_scale_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("trials.jsonl");
        assert!(completed(&file, 4.0, None).is_empty());
        append(&file, &Row::new(CASES[0], 4.0, Vec::new())).unwrap();
        append(&file, &Row::new(CASES[1], 1.0, Vec::new())).unwrap();
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str("{\"case\":\"torn");
        std::fs::write(&file, text).unwrap();
        let rows = completed(&file, 4.0, None);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].case, CASES[0].name);
        assert!(completed(&file, 4.0, Some(Stub::Never)).is_empty());
    }
}
