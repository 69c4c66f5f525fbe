//! What came of each step: the table at the end, and `--json`.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One line of the table, one object of the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was done to the patient; `healthy` is nothing.
    pub fault: String,
    /// What was done for it: `no_action`, `reset_errors` or `restart_service`.
    pub action: String,
    /// Why a heal that was proposed was not carried out.
    pub veto: Option<String>,
    /// Exit code of the sidecar, where it exited.
    pub sidecar_exit: Option<i32>,
    /// From the fault to the doctor's decision.
    pub detected_ms: Option<u64>,
    /// From the fault to clients being served well again.
    pub recovered_ms: Option<u64>,
    /// Of the clients' requests.
    pub failed_requests: u64,
    /// The app's process before.
    pub pid_before: u32,
    /// The app's process after.
    pub pid_after: u32,
    /// It went as told.
    pub ok: bool,
}

/// The table, columns aligned.
pub fn table(steps: &[Step]) -> String {
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
    rows.extend(steps.iter().map(row));
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
            // Words to the left, figures to the right.
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

fn row(step: &Step) -> [String; 10] {
    let none = || "-".to_owned();
    let seconds = |ms: Option<u64>| {
        ms.map_or_else(none, |ms| format!("{}.{:02} s", ms / 1000, ms % 1000 / 10))
    };
    [
        step.fault.clone(),
        step.action.clone(),
        step.veto.clone().unwrap_or_else(none),
        step.sidecar_exit
            .map_or_else(none, |code| format!("exit {code}")),
        seconds(step.detected_ms),
        seconds(step.recovered_ms),
        step.failed_requests.to_string(),
        step.pid_before.to_string(),
        step.pid_after.to_string(),
        if step.ok { "as told" } else { "NOT as told" }.to_owned(),
    ]
}

/// Writes the steps as a JSON array: by a temporary file beside it, so that no reader ever sees
/// half of it.
///
/// # Errors
/// The file cannot be written.
pub fn write_json(path: &Path, steps: &[Step]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut file, steps)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        Step {
            fault: "wedge".into(),
            action: "restart_service".into(),
            veto: None,
            sidecar_exit: Some(88),
            detected_ms: Some(1250),
            recovered_ms: Some(2049),
            failed_requests: 17,
            pid_before: 10,
            pid_after: 11,
            ok: true,
        }
    }

    #[test]
    fn the_json_has_the_documented_fields() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.json");
        write_json(&path, &[step()]).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!([{
                "fault": "wedge", "action": "restart_service", "veto": null, "sidecar_exit": 88,
                "detected_ms": 1250, "recovered_ms": 2049, "failed_requests": 17,
                "pid_before": 10, "pid_after": 11, "ok": true,
            }])
        );
    }

    #[test]
    fn the_table_says_each_figure_once() {
        let table = table(&[step()]);
        for cell in [
            "wedge",
            "restart_service",
            "exit 88",
            "1.25 s",
            "2.04 s",
            "17",
            "as told",
        ] {
            assert!(table.contains(cell), "{cell} in\n{table}");
        }
    }
}
