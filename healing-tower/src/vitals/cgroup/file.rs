//! A small text file that is opened once and read again and again from its start.

use std::fs::File;
use std::path::Path;

/// Kernel files are short; one that is longer is cut, never grown into memory.
const MOST: usize = 64 * 1024;

/// An open file and a buffer that is reused.
#[derive(Debug)]
pub(crate) struct KeptFile {
    file: File,
    buffer: Vec<u8>,
}

impl KeptFile {
    /// Absent where it cannot be opened.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        Some(Self {
            file: File::open(path).ok()?,
            buffer: vec![0; 4096],
        })
    }

    /// The text of now; absent where it cannot be read any more.
    pub(crate) fn text(&mut self) -> Option<&str> {
        let mut length = 0;
        loop {
            match read_at(&self.file, &mut self.buffer[length..], length as u64).ok()? {
                0 => break,
                more => length += more,
            }
            if length == self.buffer.len() {
                if length >= MOST {
                    break;
                }
                self.buffer.resize(length * 2, 0);
            }
        }
        std::str::from_utf8(&self.buffer[..length]).ok()
    }

    /// What follows `prefix` on the first line that starts with it.
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
