//! Lines of bounded length.

use std::io::{BufRead, Read as _};

use super::{ErrorKind, Limits, ReadError};

/// Reader of lines, each of at most `line_bytes` bytes.
pub(super) struct LineReader<R> {
    input: R,
    limits: Limits,
    buffer: Vec<u8>,
    number: usize,
}

impl<R: BufRead> LineReader<R> {
    /// Returns a reader at the start of the input.
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// Returns the next line that is not blank, without its newline, and its number.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &str)>, ReadError> {
        let limit = self.limits.line_bytes;
        loop {
            self.buffer.clear();
            self.number += 1;
            (&mut self.input)
                .take(limit as u64 + 1)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|error| ErrorKind::Io(error.to_string()).in_line(self.number))?;
            if self.buffer.is_empty() {
                return Ok(None);
            }
            if self.buffer.last() == Some(&b'\n') {
                self.buffer.pop();
            } else if self.buffer.len() > limit {
                return Err(ErrorKind::LineTooLong(limit).at_column(self.number, limit + 1));
            }
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
            if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some((self.number, text))),
            Err(error) => Err(ErrorKind::NotUtf8.at_column(self.number, error.valid_up_to() + 1)),
        }
    }
}
