//! Programs that the trials start.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Paths of the programs.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// The operator's command, which runs the local pod.
    pub(super) healing: PathBuf,
    /// The doctor.
    pub(super) sidecar: PathBuf,
    /// The service.
    pub(super) service: PathBuf,
    /// This binary, which is also the stub and the guard of children.
    pub(super) trials: PathBuf,
}

/// Error of programs that cannot be built or found.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramsError {
    /// cargo cannot be started.
    #[error("cargo cannot be run: {0}")]
    Cargo(#[source] io::Error),
    /// cargo reported an error.
    #[error("the programs cannot be built: {0}")]
    Build(ExitStatus),
    /// The path of this binary is unknown.
    #[error("the path of this binary is unknown: {0}")]
    OwnPath(#[source] io::Error),
    /// A program is not in the directory of this binary.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
}

impl Programs {
    /// Builds the programs in the profile of this binary, and finds them in its directory.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be built, or are built into another directory.
    pub(super) fn build() -> Result<Self, ProgramsError> {
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
        let status = command.status().map_err(ProgramsError::Cargo)?;
        if !status.success() {
            return Err(ProgramsError::Build(status));
        }
        let trials = std::env::current_exe().map_err(ProgramsError::OwnPath)?;
        let sibling = |name: &str| existing(&trials.with_file_name(name));
        Ok(Self {
            healing: sibling("healing")?,
            sidecar: sibling("healing-sidecar")?,
            service: sibling("trial-service")?,
            trials,
        })
    }
}

fn existing(path: &Path) -> Result<PathBuf, ProgramsError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(ProgramsError::Missing(path.to_owned()))
}
