//! The programs that the trials start.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Paths of the programs.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// The operator's command, which runs the local pod.
    pub(super) healing: PathBuf,
    /// The doctor.
    pub(super) sidecar: PathBuf,
    /// The service.
    pub(super) service: PathBuf,
    /// This binary, which also plays the stubs and guards children.
    pub(super) trials: PathBuf,
}

impl Programs {
    /// Builds the programs in the profile of this binary, and finds them beside it.
    pub(super) fn build() -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--workspace"])
            .args(["--bin", "healing", "--bin", "healing-sidecar"])
            .args(["--bin", "trial-service"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let status = command
            .status()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !status.success() {
            return Err(format!("the programs cannot be built: {status}"));
        }
        let trials = std::env::current_exe().map_err(|error| error.to_string())?;
        let beside = |name: &str| existing(&trials.with_file_name(name));
        Ok(Self {
            healing: beside("healing")?,
            sidecar: beside("healing-sidecar")?,
            service: beside("trial-service")?,
            trials,
        })
    }
}

fn existing(path: &Path) -> Result<PathBuf, String> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(format!("there is no {}", path.display()))
}
