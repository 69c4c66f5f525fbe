//! Audit trail with one JSON object per line, for every proposal, changed decision, treatment and
//! outcome, and a summary of the polls in between.
//!
//! The journal is bounded (two files of 8 MiB). If the disk is full, entries are lost and counted;
//! there is no other effect.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value};

/// Size at which the file is renamed to `journal.1.jsonl`, which replaces an older one, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Maximum size of an entry, in bytes. A longer entry loses its observation, and if that is not
/// enough, everything but its time and kind. An app may send a megabyte at every poll.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Number of entries kept for the status page.
const RECENT: usize = 100;

/// The journal file, and its latest entries.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    limit: u64,
    open: Option<(File, u64)>,
    failing: bool,
    recent: VecDeque<Arc<str>>,
}

impl Journal {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join("journal.jsonl"),
            limit: MAX_BYTES,
            open: None,
            failing: false,
            recent: VecDeque::with_capacity(RECENT),
        }
    }

    /// Writes an entry with its kind, the time, and the fields of `content`. Returns `false` if the
    /// entry was lost.
    pub(super) fn write(&mut self, kind: &str, content: &impl Serialize) -> bool {
        let line = match line(kind, content, SystemTime::now()) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, kind, "cannot write a journal entry as JSON");
                return false;
            }
        };
        self.remember(&line);
        match self.append(&line) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!(path = %self.path.display(), "the journal is writable again");
                }
                true
            }
            Err(error) => {
                self.open = None; // reopened for the next entry, because the last line may be partial
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(path = %self.path.display(), %error, "the journal is not writable");
                }
                false
            }
        }
    }

    /// Forces the entries to disk.
    pub(super) fn sync(&mut self) {
        if let Some((file, _)) = &self.open
            && let Err(error) = file.sync_data()
        {
            tracing::warn!(%error, "cannot sync the journal");
        }
    }

    /// Returns the latest entries, oldest first, each a JSON object.
    pub(super) fn recent(&self) -> Vec<Arc<str>> {
        self.recent.iter().cloned().collect()
    }

    fn remember(&mut self, line: &str) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(line.trim_end().into());
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, size)| *size >= self.limit)
        {
            self.open = None;
            fs::rename(&self.path, self.path.with_extension("1.jsonl"))?;
        }
        let (file, size) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(open(&self.path)?),
        };
        file.write_all(line.as_bytes())?;
        *size += line.len() as u64;
        Ok(())
    }
}

/// Opens the file for appending, and completes a partial last line of a killed process by a line
/// break.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let mut size = file.metadata()?.len();
    if size > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            size += 1;
        }
    }
    Ok((file, size))
}

fn line(kind: &str, content: &impl Serialize, at: SystemTime) -> serde_json::Result<String> {
    let mut entry = Map::new();
    let time = humantime::format_rfc3339_millis(at).to_string();
    entry.insert("at".to_owned(), Value::String(time));
    entry.insert("kind".to_owned(), Value::String(kind.to_owned()));
    match serde_json::to_value(content)? {
        Value::Object(fields) => entry.extend(fields),
        other => {
            entry.insert("content".to_owned(), other);
        }
    }
    let mut line = serde_json::to_string(&entry)?;
    if line.len() > MAX_LINE_BYTES {
        entry.insert(
            "left_out".to_owned(),
            Value::String("observation".to_owned()),
        );
        entry.remove("observation");
        line = serde_json::to_string(&entry)?;
    }
    if line.len() > MAX_LINE_BYTES {
        entry.retain(|key, _| key == "at" || key == "kind");
        entry.insert(
            "left_out".to_owned(),
            Value::String("everything".to_owned()),
        );
        line = serde_json::to_string(&entry)?;
    }
    line.push('\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<Value> {
        fs::read_to_string(path)
            .unwrap()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    #[test]
    fn journal_writes_entry_as_line_with_time_and_kind() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        assert!(journal.write("start", &serde_json::json!({"version": "1"})));
        assert!(journal.write("note", &"text"));
        let lines = lines(&dir.path().join("journal.jsonl"));
        assert_eq!(lines[0]["kind"], "start");
        assert_eq!(lines[0]["version"], "1");
        assert!(lines[0]["at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["content"], "text");
        assert_eq!(journal.recent().len(), 2);
    }

    #[test]
    fn journal_keeps_at_most_two_files() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        journal.limit = 2000;
        for number in 0..1000 {
            assert!(journal.write("note", &number));
        }
        let sizes: Vec<u64> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|size| *size < 2200), "{sizes:?}");
        let last = lines(&dir.path().join("journal.jsonl")).pop().unwrap();
        assert_eq!(last["content"], 999);
    }

    #[test]
    fn journal_shortens_long_entries() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(dir.path());
        let long = "x".repeat(1 << 20);
        journal.write(
            "decision",
            &serde_json::json!({"observation": long, "reason": "healthy"}),
        );
        journal.write("decision", &serde_json::json!({"other": long}));
        let lines = lines(&dir.path().join("journal.jsonl"));
        assert_eq!(lines[0]["reason"], "healthy");
        assert_eq!(lines[0]["left_out"], "observation");
        assert_eq!(lines[1]["left_out"], "everything");
        assert!(journal.recent().iter().all(|line| line.len() < 200));
    }

    #[test]
    fn journal_loses_only_the_partial_line_of_a_killed_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        fs::write(&path, "{\"kind\":\"a\"}\n{\"kind\":\"to").unwrap();
        Journal::new(dir.path()).write("b", &());
        let kinds: Vec<Value> = lines(&path).iter().map(|l| l["kind"].clone()).collect();
        assert_eq!(kinds, ["a", "b"]);
    }

    #[test]
    fn journal_loses_only_entries_while_disk_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut journal = Journal::new(dir.path());
        assert!(!journal.write("note", &1));
        journal.sync();
        assert!(!journal.write("note", &2));
        fs::remove_file(&path).unwrap();
        assert!(journal.write("note", &3));
        assert_eq!(lines(&path).len(), 1);
    }

    #[test]
    fn journal_loses_only_entries_while_directory_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("later");
        let mut journal = Journal::new(&missing);
        assert!(!journal.write("note", &1));
        assert!(!journal.write("note", &2));
        fs::create_dir(&missing).unwrap();
        assert!(journal.write("note", &3));
        assert_eq!(lines(&missing.join("journal.jsonl")).len(), 1);
        assert_eq!(
            journal.recent().len(),
            3,
            "the status page shows lost entries too"
        );
    }
}
