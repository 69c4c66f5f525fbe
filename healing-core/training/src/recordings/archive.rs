//! Reader of an archive of recordings: `NAME.tar.xz` with a folder for each run.
//!
//! # Hazards
//!
//! All sizes are bounded, but an archive is read into memory as a whole: about 100 MB for 187 runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use lzma_rust2::XzReader;

use super::case::RecordedCase;
use super::error::RecordingErrorKind::{Duplicate, Io, Missing, TooLarge, Value};
use super::error::{RecordingError, RecordingErrorKind};
use super::recording::Recording;

/// Expected form of an archive, for error messages.
const EXPECTED: &str = "a .tar.xz archive of RUN/case.json, RUN/rec.jsonl and RUN/load.log";

/// Largest unpacked size of an archive, in bytes.
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// Largest size of a file in an archive, in bytes.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// Largest number of runs in an archive.
const MAX_RUNS: usize = 2000;

/// Largest memory of the decompressor, in KiB.
const MAX_DECOMPRESSOR_KIB: u32 = 128 << 10;

/// Recordings of one archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Archive {
    /// Name of the archive: that of its file, without `.tar.xz`.
    pub name: String,
    /// Runs, in the order of their names.
    pub recordings: Vec<Recording>,
}

/// Files of one run.
#[derive(Debug, Default)]
struct RunFiles {
    case: Option<Vec<u8>>,
    samples: Option<Vec<u8>>,
    load: Option<Vec<u8>>,
}

// === impl Archive ===

impl Archive {
    /// Reads an archive from a file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, exceeds a limit or is not of the expected form.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let file_name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        let name = file_name.strip_suffix(".tar.xz").unwrap_or(&file_name);
        let shown = path.display().to_string();
        let file = File::open(path).map_err(|error| io(&error).at(&shown, 0))?;
        Self::read(name, BufReader::new(file))
    }

    /// Reads an archive of the given name.
    ///
    /// # Errors
    ///
    /// Returns an error if the input fails, exceeds a limit or is not of the expected form.
    pub fn read(name: &str, input: impl Read) -> Result<Self, RecordingError> {
        let unpacked = Limited {
            input: XzReader::new_mem_limit(input, true, MAX_DECOMPRESSOR_KIB),
            remaining: MAX_UNPACKED_BYTES,
        };
        Self::read_unpacked(name, unpacked)
    }

    fn read_unpacked(name: &str, archive: impl Read) -> Result<Self, RecordingError> {
        let runs = read_runs(archive).map_err(|(file, kind)| match file {
            Some(file) => kind.at(&format!("{name}/{file}"), 0),
            None => kind.at(name, 0),
        })?;
        let recordings = runs
            .into_iter()
            .map(|(run, files)| parse_run(name, &run, files))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.to_owned(),
            recordings,
        })
    }
}

/// Reader that fails at the end of a limit, so that a cut is not taken for the end of the input.
struct Limited<R> {
    input: R,
    remaining: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.remaining.checked_sub(read as u64) {
            Some(remaining) => self.remaining = remaining,
            None => {
                return Err(std::io::Error::other(
                    "the unpacked archive exceeds its limit",
                ));
            }
        }
        Ok(read)
    }
}

/// Kind of an error, with the path in the archive of the file that it concerns.
type FileError = (Option<String>, RecordingErrorKind);

/// Returns the files of each run of an archive, by the name of the run.
fn read_runs(archive: impl Read) -> Result<BTreeMap<String, RunFiles>, FileError> {
    let mut archive = tar::Archive::new(archive);
    let of_archive = |error: std::io::Error| (None, io(&error));
    let mut runs: BTreeMap<String, RunFiles> = BTreeMap::new();
    for entry in archive.entries().map_err(of_archive)? {
        let mut entry = entry.map_err(of_archive)?;
        let path = entry
            .path()
            .map_err(of_archive)?
            .to_string_lossy()
            .into_owned();
        let mut parts = path.rsplit('/');
        let (Some(file @ ("case.json" | "rec.jsonl" | "load.log")), Some(run)) =
            (parts.next(), parts.next())
        else {
            continue;
        };
        let of_file = |kind| (Some(format!("{run}/{file}")), kind);
        let bytes = read_file(&mut entry).map_err(of_file)?;
        let files = runs.entry(run.to_owned()).or_default();
        let slot = match file {
            "case.json" => &mut files.case,
            "load.log" => &mut files.load,
            _ => &mut files.samples,
        };
        if slot.replace(bytes).is_some() {
            return Err(of_file(Duplicate(path.clone())));
        }
        if runs.len() > MAX_RUNS {
            let limit = MAX_RUNS as u64;
            return Err((
                None,
                TooLarge {
                    unit: "runs",
                    limit,
                },
            ));
        }
    }
    if runs.is_empty() {
        return Err((None, Missing("the first run")));
    }
    Ok(runs)
}

/// Reads a file of bounded size.
fn read_file(entry: &mut impl Read) -> Result<Vec<u8>, RecordingErrorKind> {
    let mut bytes = Vec::new();
    entry
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| io(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES;
        return Err(TooLarge {
            unit: "bytes",
            limit,
        });
    }
    Ok(bytes)
}

fn parse_run(archive: &str, run: &str, files: RunFiles) -> Result<Recording, RecordingError> {
    let folder = format!("{archive}/{run}");
    let case_file = format!("{folder}/case.json");
    let text = files
        .case
        .ok_or_else(|| Missing("`case.json`").at(&folder, 0))?;
    let case = RecordedCase::parse(&text).map_err(|kind| kind.at(&case_file, 0))?;
    if case.name != run {
        let kind = Value {
            found: case.name,
            expected: "the name of the folder as `name`",
        };
        return Err(kind.at(&case_file, 0));
    }
    let file = format!("{folder}/rec.jsonl");
    let text = files
        .samples
        .ok_or_else(|| Missing("`rec.jsonl`").at(&folder, 0))?;
    let recording = Recording::parse(archive, case, &file, &utf8(&file, text)?)?;
    let Some(text) = files.load else {
        return Ok(recording);
    };
    let file = format!("{folder}/load.log");
    recording.with_load(&file, &utf8(&file, text)?)
}

/// Returns the text of a file.
fn utf8(file: &str, bytes: Vec<u8>) -> Result<String, RecordingError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        RecordingErrorKind::value("other bytes", "UTF-8 text").at(file, line)
    })
}

fn io(error: &std::io::Error) -> RecordingErrorKind {
    Io(error.to_string(), EXPECTED)
}

#[cfg(test)]
mod tests;
