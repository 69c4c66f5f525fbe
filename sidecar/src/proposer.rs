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
