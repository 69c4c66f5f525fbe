//! Output of all children of a run, with the time of each line.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Maximum number of lines that are kept in memory.
const KEPT: usize = 20_000;

/// Lines of all children; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<(SystemTime, String)>,
    file: Option<std::fs::File>,
}

impl Log {
    /// Returns a log that is also written to a file.
    pub(super) fn to(path: &Path) -> std::io::Result<Self> {
        let file = Some(std::fs::File::create(path)?);
        let lines = Vec::new();
        Ok(Self(Arc::new(Mutex::new(Lines { lines, file }))))
    }

    pub(super) fn add(&self, line: String) {
        let mut lines = self.lock();
        if let Some(file) = &mut lines.file {
            let _ = writeln!(file, "{line}"); // no result depends on the file
        }
        if lines.lines.len() < KEPT {
            lines.lines.push((SystemTime::now(), line));
        }
    }

    /// Adds the lines of a stream until it closes.
    pub(super) async fn follow(self, stream: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            self.add(line);
        }
    }

    /// Returns the times of the doctor's exits with 88.
    pub(super) fn restarts(&self) -> Vec<SystemTime> {
        let lines = self.lock();
        let exits = lines.lines.iter().filter(|(_, line)| is_restart(line));
        exits.map(|(at, _)| *at).collect()
    }

    /// Returns the process id of the doctor that started last.
    pub(super) fn doctor_pid(&self) -> Option<i32> {
        let lines = self.lock();
        let pids = lines.lines.iter().rev();
        pids.filter_map(|(_, line)| started_doctor(line)).next()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the text of a line of `healing pod` about the doctor, without its prefix.
fn about_doctor(line: &str) -> Option<&str> {
    let (role, text) = line.split_once('|')?;
    let text = text.trim_start();
    (role.trim() == "pod" && text.starts_with("sidecar")).then_some(text)
}

fn is_restart(line: &str) -> bool {
    about_doctor(line).is_some_and(|text| text.ends_with("exited with 88"))
}

fn started_doctor(line: &str) -> Option<i32> {
    let (_, rest) = about_doctor(line)?.split_once("started: pid ")?;
    rest.split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_lines_are_parsed() {
        assert!(is_restart("pod     | sidecar (pid 12) exited with 88"));
        assert!(!is_restart("pod     | sidecar (pid 12) exited with 0"));
        assert!(!is_restart("app     | sidecar (pid 12) exited with 88"));
        let started = "pod     | sidecar started: pid 345, restarts 2";
        assert_eq!(started_doctor(started), Some(345));
        assert_eq!(
            started_doctor("pod     | app started: pid 9, restarts 0"),
            None
        );
    }
}
