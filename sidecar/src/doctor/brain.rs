//! Which brain decides: a model file, the built-in model, or rules where a model is not to be had.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use healing_core::brain::{Model, Proposer};

use crate::config::{Rules, Settings};
use crate::status::Shared;

/// More than any model of ours; a larger file is not one.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A brain and how it is called.
pub(super) struct Chosen {
    pub(super) brain: Proposer,
    source: &'static str,
    pub(super) label: String,
}

/// By the settings. What is wrong with a model is said, and the compiled-in rules take over.
pub(super) fn choose(settings: &Settings) -> Chosen {
    if settings.rules == Rules::Original {
        return Chosen {
            brain: Proposer::Original,
            source: "rules",
            label: "original rules".to_owned(),
        };
    }
    let Some(path) = &settings.model else {
        return Chosen {
            brain: Proposer::default_model(),
            source: "builtin",
            label: "built-in model".to_owned(),
        };
    };
    match read_model(path) {
        Ok(model) => Chosen {
            brain: Proposer::Model(Box::new(model)),
            source: "file",
            label: path.display().to_string(),
        },
        Err(error) => {
            tracing::error!(model = %path.display(), error, "the model cannot be used: the compiled-in rules decide");
            Chosen {
                brain: Proposer::Rules,
                source: "rules",
                label: "compiled-in rules, as the model cannot be used".to_owned(),
            }
        }
    }
}

/// Reads and verifies a model file.
///
/// # Errors
///
/// When the file cannot be read, is too large, or is not a valid model.
pub fn read_model(path: &Path) -> Result<Model, String> {
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if read as u64 > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes"));
    }
    Model::from_bytes(&bytes).map_err(|error| error.to_string())
}

impl Chosen {
    pub(super) fn announce(&self, shared: &Shared) {
        shared.metrics.model_info.reset();
        shared
            .metrics
            .model_info
            .with_label_values(&[self.source, &self.label])
            .set(1);
        shared.view().brain.clone_from(&self.label);
    }
}
