//! Reading of model files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use healing_core::model::{Model, ModelError};

/// Maximum size of a model file, in bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Reason why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is too large for a model.
    #[error("the file is larger than a model can be ({MAX_BYTES} bytes)")]
    TooLarge,
    /// The content is not a valid model.
    #[error(transparent)]
    Invalid(#[from] ModelError),
}

/// Reads and verifies a model file.
///
/// # Errors
///
/// Returns an error if the file cannot be read, is too large, or is not a valid model.
pub fn read_model(path: &Path) -> Result<Model, ReadModelError> {
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > MAX_BYTES {
        return Err(ReadModelError::TooLarge);
    }
    Ok(Model::from_bytes(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_model_distinguishes_missing_file_from_invalid_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.model");
        assert!(matches!(read_model(&path), Err(ReadModelError::Io(_))));
        std::fs::write(&path, "not a model").unwrap();
        assert!(matches!(read_model(&path), Err(ReadModelError::Invalid(_))));
    }
}
