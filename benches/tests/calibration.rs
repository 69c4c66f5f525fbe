//! Comparison of the committed recordings of the patient app with their simulations.

#![allow(clippy::unwrap_used)]

use healing_benches::calibration::{compare, directory};

#[test]
fn simulator_gives_figures_of_recordings_except_for_known_deviations() {
    let outcome = compare().unwrap();
    assert!(
        outcome.undocumented.is_empty(),
        "{:#?}",
        outcome.undocumented
    );
}

#[test]
fn committed_table_is_that_of_the_recordings() {
    let committed = std::fs::read_to_string(directory().join("table.md")).unwrap();
    let table = compare().unwrap().table;
    assert!(
        table == committed,
        "`cargo calibration compare --write` makes this table:\n{table}"
    );
}
