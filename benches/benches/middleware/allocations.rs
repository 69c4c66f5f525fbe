//! Allocations of a request, counted by a binary of their own: see `count-allocations`.

use std::process::Command;

/// Name and count, as that binary prints them.
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
