//! File with the bearer token of `POST /heal`.

use std::io;
use std::path::PathBuf;

/// Maximum size of the file, in bytes. A token is short, so a longer file is the wrong one.
const MAX_BYTES: u64 = 4096;

/// Path of the token file.
#[derive(Debug, Clone)]
pub(crate) struct TokenFile(PathBuf);

/// Failure to read a token from the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFileError {
    /// The file cannot be read.
    #[error("cannot read token file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file is larger than [`MAX_BYTES`].
    #[error(
        "token file {} has {bytes} bytes; a token has at most {MAX_BYTES}",
        path.display()
    )]
    TooLarge { path: PathBuf, bytes: u64 },
    /// The file contains only white space.
    #[error(
        "token file {} is empty; write a token to it or remove the setting",
        path.display()
    )]
    Empty { path: PathBuf },
}

impl TokenFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads the token, without surrounding white space.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, is too large or is empty.
    pub(crate) fn read(&self) -> Result<String, TokenFileError> {
        let path = || self.0.clone();
        let unreadable = |source| TokenFileError::Unreadable {
            path: path(),
            source,
        };
        let bytes = std::fs::metadata(&self.0).map_err(unreadable)?.len();
        if bytes > MAX_BYTES {
            return Err(TokenFileError::TooLarge {
                path: path(),
                bytes,
            });
        }
        let text = std::fs::read_to_string(&self.0).map_err(unreadable)?;
        match text.trim() {
            "" => Err(TokenFileError::Empty { path: path() }),
            token => Ok(token.to_owned()),
        }
    }
}
