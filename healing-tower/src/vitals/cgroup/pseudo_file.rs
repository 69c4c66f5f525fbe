//! Small kernel file (procfs, cgroupfs) that is opened once and read repeatedly from its start.

use std::fs::File;
use std::path::Path;

/// Maximum number of bytes read; the files are short, and a longer one is truncated.
const MAX_BYTES: usize = 64 * 1024;

/// Open file and its reused buffer.
#[derive(Debug)]
pub(crate) struct PseudoFile {
    file: File,
    buffer: Vec<u8>,
}

impl PseudoFile {
    /// Opens the file; `None` if it cannot be opened.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        Some(Self {
            file: File::open(path).ok()?,
            buffer: vec![0; 4096],
        })
    }

    /// Reads the whole text; `None` if it cannot be read.
    pub(crate) fn text(&mut self) -> Option<&str> {
        let mut length = 0;
        loop {
            match read_at(&self.file, &mut self.buffer[length..], length as u64).ok()? {
                0 => break,
                more => length += more,
            }
            if length == self.buffer.len() {
                if length >= MAX_BYTES {
                    break;
                }
                self.buffer.resize(length * 2, 0);
            }
        }
        std::str::from_utf8(&self.buffer[..length]).ok()
    }

    /// Returns the rest of the first line that starts with `prefix`.
    pub(crate) fn line(&mut self, prefix: &str) -> Option<&str> {
        self.text()?
            .lines()
            .find_map(|line| line.strip_prefix(prefix))
            .map(str::trim)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}
