//! Wanted decision of each run: the table `expected.csv`.

use std::collections::BTreeSet;
use std::fmt;

use super::error::RecordingErrorKind::{Duplicate, Missing};
use super::error::{RecordingError, RecordingErrorKind};

/// First line of the table.
const HEADER: &str = "archive,run,wanted,rule_s,rule_s3,policy_8c11de9";

/// Decision that is right for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// `R`: the app is unhealthy and a restart helps; a soft heal before it does no harm.
    Restart,
    /// `N`: nothing; the app does what it can, or only looks unhealthy.
    Nothing,
    /// `S`: at most a soft heal.
    SoftHeal,
    /// `H`: hold; clients get almost nothing, but the load is the cause. One late restart does no harm.
    Hold,
    /// `1`: the app has never worked and nothing succeeds; one restart, never a second.
    OneRestart,
}

/// Row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Name of the archive.
    pub archive: String,
    /// Name of the run.
    pub run: String,
    /// Right decision.
    pub wanted: Wanted,
    /// Decision of the policy at the commit of the recordings, at phase 0.
    pub policy_8c11de9: String,
}

// === impl Wanted ===

impl Wanted {
    /// Code of each decision in the table.
    const CODES: [(Self, &str); 5] = [
        (Self::Restart, "R"),
        (Self::Nothing, "N"),
        (Self::SoftHeal, "S"),
        (Self::Hold, "H"),
        (Self::OneRestart, "1"),
    ];
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = Self::CODES.iter().find(|(wanted, _)| wanted == self);
        f.write_str(code.map_or("?", |(_, code)| code))
    }
}

// === impl Expected ===

impl Expected {
    /// Parses the text of the table; `file` names it in errors.
    ///
    /// # Errors
    ///
    /// Returns an error if the first line is not the header, a row is malformed, or the table names a run twice.
    pub fn parse_table(file: &str, text: &str) -> Result<Vec<Self>, RecordingError> {
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(Missing("the header `archive,run,wanted,…`").at(file, 1));
        }
        let mut seen = BTreeSet::new();
        lines
            .map(|(index, line)| {
                let row = Self::parse(line).map_err(|kind| kind.at(file, index + 1))?;
                if seen.insert((row.archive.clone(), row.run.clone())) {
                    Ok(row)
                } else {
                    Err(Duplicate(row.run).at(file, index + 1))
                }
            })
            .collect()
    }

    fn parse(line: &str) -> Result<Self, RecordingErrorKind> {
        let cells: Vec<&str> = line.split(',').collect();
        let &[archive, run, code, _, _, policy] = cells.as_slice() else {
            return Err(RecordingErrorKind::value(line, "6 cells"));
        };
        let wanted = Wanted::CODES
            .into_iter()
            .find_map(|(wanted, text)| (text == code).then_some(wanted))
            .ok_or_else(|| RecordingErrorKind::value(code, "R, N, S, H or 1"))?;
        Ok(Self {
            archive: archive.to_owned(),
            run: run.to_owned(),
            wanted,
            policy_8c11de9: policy.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rows: &str) -> Result<Vec<Expected>, RecordingError> {
        Expected::parse_table("expected.csv", &format!("{HEADER}\n{rows}"))
    }

    #[test]
    fn table_is_parsed() {
        let rows = parse("a,x,R,-,-,restart+15 front_door_hangs\na,y,1,-,-,-\n").unwrap();
        assert_eq!(
            (rows[0].wanted, rows[1].wanted),
            (Wanted::Restart, Wanted::OneRestart)
        );
        assert_eq!(rows[0].policy_8c11de9, "restart+15 front_door_hangs");
        assert_eq!(rows[1].wanted.to_string(), "1");
    }

    #[test]
    fn malformed_tables_name_line_and_form() {
        for (rows, expected) in [
            (
                "a,x,R\n",
                "expected.csv, line 2: found `a,x,R`; expected 6 cells",
            ),
            (
                "a,x,Q,-,-,-\n",
                "expected.csv, line 2: found `Q`; expected R, N, S, H or 1",
            ),
            (
                "a,x,R,-,-,-\na,x,R,-,-,-\n",
                "expected.csv, line 3: duplicate `x`",
            ),
        ] {
            assert_eq!(parse(rows).unwrap_err().to_string(), expected);
        }
        assert!(Expected::parse_table("expected.csv", "run\n").is_err());
    }
}
