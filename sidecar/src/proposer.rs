//! Choice of the proposer from a model file, the built-in model, and rules.

use healing_core::decision::Abstention;
use healing_core::features::Features;
use healing_core::model::{Classification, Classifier, ModelError};
use healing_core::policy::Proposer;

use crate::config::{Rules, Settings};
use crate::model_file::{ReadModelError, read_model};
use crate::status::Shared;

/// Proposer with its name.
#[derive(Debug)]
pub struct LoadedProposer {
    /// The proposer.
    pub proposer: Proposer,
    source: &'static str,
    /// Name of the model or of the rules, for people.
    pub label: String,
}

/// Model whose file cannot be used. It always abstains, so that the rules decide and the reason is counted.
#[derive(Debug)]
struct UnusableModel(Abstention);

impl Classifier for UnusableModel {
    fn classify(&self, _: &Features) -> Classification {
        Err(self.0).into()
    }
}

impl LoadedProposer {
    /// Loads the proposer that the settings name. If its model cannot be used, the compiled-in rules
    /// decide.
    #[must_use]
    pub fn load(settings: &Settings) -> Self {
        if settings.rules == Rules::Original {
            return Self::new(Proposer::Original, "rules", "original rules");
        }
        let Some(path) = &settings.model else {
            return Self::new(Proposer::default_model(), "builtin", "built-in model");
        };
        match read_model(path) {
            Ok(model) => Self::new(
                Proposer::Model(Box::new(model)),
                "file",
                path.display().to_string(),
            ),
            Err(error) => {
                tracing::error!(
                    model = %path.display(), %error,
                    "the model cannot be used, so the compiled-in rules decide"
                );
                let label = "compiled-in rules, because the model cannot be used";
                let model = UnusableModel(match error {
                    ReadModelError::Invalid(ModelError::UnknownFeature { .. }) => {
                        Abstention::UnknownFeature
                    }
                    _ => Abstention::ModelError,
                });
                Self::new(Proposer::Model(Box::new(model)), "rules", label)
            }
        }
    }

    fn new(proposer: Proposer, source: &'static str, label: impl Into<String>) -> Self {
        Self {
            proposer,
            source,
            label: label.into(),
        }
    }

    /// Publishes source and name in metrics and status.
    pub(crate) fn publish(&self, shared: &Shared) {
        shared.metrics.model_info.reset();
        shared
            .metrics
            .model_info
            .with_label_values(&[self.source, &self.label])
            .set(1);
        shared.view().proposer.clone_from(&self.label);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use healing_core::model::builtin::ORIGINAL_FIVE;
    use healing_core::model::file::checksum;

    use super::*;

    /// Returns the abstention of the model in a file.
    fn abstention(content: &[u8]) -> Option<Abstention> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let loaded = crate::config::load(&crate::config::Flags::default(), &|_: &str| None);
        let settings = Settings {
            model: Some(PathBuf::from(file.path())),
            ..loaded.settings
        };
        match LoadedProposer::load(&settings).proposer {
            Proposer::Model(model) => model.classify(&Features::EMPTY).votes.err(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn abstention_of_unusable_model_names_the_defect() {
        let defect = abstention(b"not a model");
        assert_eq!(defect, Some(Abstention::ModelError));
        let absent = abstention(ORIGINAL_FIVE);
        assert_eq!(absent, Some(Abstention::AbsentFeature));

        let mut unknown = ORIGINAL_FIVE[..ORIGINAL_FIVE.len() - 8].to_vec();
        let known = b"\"cpu_usage\"";
        let at = unknown
            .windows(known.len())
            .position(|bytes| bytes == known)
            .unwrap();
        unknown[at..at + known.len()].copy_from_slice(b"\"cpu_moods\"");
        let sum = checksum(&unknown);
        unknown.extend(sum.to_le_bytes());
        assert_eq!(abstention(&unknown), Some(Abstention::UnknownFeature));
    }
}
