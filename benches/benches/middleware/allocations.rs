//! Allocations of a request, counted by the separate binary `count-allocations`.

use std::process::Command;

/// Returns name and count of each figure that the binary prints.
pub(crate) fn measure() -> Vec<(String, f64)> {
    let output = Command::new(env!("CARGO_BIN_EXE_count-allocations"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let pairs = text.lines().map(|line| line.split_once(' ').unwrap());
    pairs
        .map(|(name, count)| (name.to_owned(), count.parse().unwrap()))
        .collect()
}
