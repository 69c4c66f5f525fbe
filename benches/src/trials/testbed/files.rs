//! Files of a run.

use std::fs;
use std::io;
use std::path::Path;

/// Cuts the doctor's state file to half its length, as an interrupted write would.
pub(in crate::trials) fn tear_state_file(state_directory: &Path) -> io::Result<()> {
    let path = state_directory.join("state.json");
    let content = fs::read(&path)?;
    let half = content.len() / 2;
    fs::write(&path, content.get(..half).unwrap_or_default())
}

/// Copies logs, settings and the doctor's state to another directory, which is created.
pub(in crate::trials) fn copy_traces(
    run_directory: &Path,
    state_directory: &Path,
    to: &Path,
) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for name in ["log", "events", "healing.toml"] {
        let from = run_directory.join(name);
        if from.exists() {
            fs::copy(from, to.join(name))?;
        }
    }
    for entry in fs::read_dir(state_directory)?.flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
