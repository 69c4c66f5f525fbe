//! Choice of the proposer from a model file, the built-in model, and rules.

use healing_core::policy::Proposer;

use crate::config::{Rules, Settings};
use crate::model_file::read_model;
use crate::status::Shared;

/// Proposer with its name.
pub(crate) struct LoadedProposer {
    pub(crate) proposer: Proposer,
    source: &'static str,
    pub(crate) label: String,
}

impl LoadedProposer {
    /// Loads the proposer that the settings name. If its model cannot be used, the compiled-in rules
    /// decide.
    pub(crate) fn load(settings: &Settings) -> Self {
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
                Self::new(Proposer::Rules, "rules", label)
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
