//! Results of the scenarios, as the table at the end and as `--json`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Result of one scenario, which is a row of the table and an object of the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// Fault that was injected, or `healthy`.
    pub fault: String,
    /// Action that was carried out: `no_action`, `reset_errors` or `restart_service`.
    pub action: String,
    /// Reason code of the veto against a proposed heal.
    pub veto: Option<String>,
    /// Exit code of the sidecar, if it exited.
    pub sidecar_exit: Option<i32>,
    /// Time from the fault to the doctor's decision.
    pub detected_ms: Option<u64>,
    /// Time from the fault until requests succeed again.
    pub recovered_ms: Option<u64>,
    /// Number of failed requests.
    pub failed_requests: u64,
    /// Process id of the app before the scenario.
    pub pid_before: u32,
    /// Process id of the app after the scenario.
    pub pid_after: u32,
    /// Votes of the model up to the end of the scenario.
    pub model: ModelVotes,
    /// Set if the result is as expected.
    pub ok: bool,
}

/// Polls of the sidecar that runs at the end of a scenario, since it started, by the part of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVotes {
    /// Number of polls in which the model voted.
    pub voted: u64,
    /// Number of polls in which it abstained, by reason code.
    pub abstained: BTreeMap<String, u64>,
}

/// Formats the results as a table with aligned columns.
pub fn table(results: &[ScenarioResult]) -> String {
    let head = [
        "fault",
        "action",
        "veto",
        "sidecar",
        "detected",
        "recovered",
        "failed requests",
        "pid before",
        "pid after",
        "",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(results.iter().map(row));
    let mut widths = [0; 10];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in &rows {
        let mut line = String::from("  ");
        for (column, (width, cell)) in widths.iter().zip(row).enumerate() {
            // Text is aligned to the left, figures to the right.
            let cell = if (4..=8).contains(&column) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            };
            line.push_str(&cell);
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

fn row(result: &ScenarioResult) -> [String; 10] {
    let none = || "-".to_owned();
    let seconds = |ms: Option<u64>| {
        ms.map_or_else(none, |ms| format!("{}.{:02} s", ms / 1000, ms % 1000 / 10))
    };
    [
        result.fault.clone(),
        result.action.clone(),
        result.veto.clone().unwrap_or_else(none),
        result
            .sidecar_exit
            .map_or_else(none, |code| format!("exit {code}")),
        seconds(result.detected_ms),
        seconds(result.recovered_ms),
        result.failed_requests.to_string(),
        result.pid_before.to_string(),
        result.pid_after.to_string(),
        if result.ok {
            "as expected"
        } else {
            "unexpected"
        }
        .to_owned(),
    ]
}

/// Writes the results as a JSON array, atomically.
///
/// # Errors
///
/// Returns an error if the file cannot be written.
pub fn write_json(path: &Path, results: &[ScenarioResult]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut file, results)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result() -> ScenarioResult {
        ScenarioResult {
            fault: "wedge".into(),
            action: "restart_service".into(),
            veto: None,
            sidecar_exit: Some(88),
            detected_ms: Some(1250),
            recovered_ms: Some(2049),
            failed_requests: 17,
            pid_before: 10,
            pid_after: 11,
            model: ModelVotes {
                voted: 40,
                abstained: [("no_report".to_owned(), 2)].into(),
            },
            ok: true,
        }
    }

    #[test]
    fn json_has_the_documented_fields() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.json");
        write_json(&path, &[result()]).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!([{
                "fault": "wedge", "action": "restart_service", "veto": null, "sidecar_exit": 88,
                "detected_ms": 1250, "recovered_ms": 2049, "failed_requests": 17,
                "pid_before": 10, "pid_after": 11,
                "model": {"voted": 40, "abstained": {"no_report": 2}}, "ok": true,
            }])
        );
    }

    #[test]
    fn table_contains_every_figure() {
        let table = table(&[result()]);
        for cell in [
            "wedge",
            "restart_service",
            "exit 88",
            "1.25 s",
            "2.04 s",
            "17",
            "as expected",
        ] {
            assert!(table.contains(cell), "{cell} in\n{table}");
        }
    }
}
