//! Failures of the subcommands, and their exit codes.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use healing_core::model::{MissingFeature, RowFault};
use healing_sidecar::app_client::http::NoResponse;
use healing_sidecar::config::ConfigError;
use healing_sidecar::exit_code;
use healing_sidecar::model_file::ReadModelError;
use healing_training::TrainingError;
use healing_training::reader::ReadError;

/// Exit code for a program that cannot be started, as in shells.
pub(super) const NOT_FOUND: u8 = 127;

/// Failure of a subcommand.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// Invalid settings; never empty.
    #[error("invalid configuration")]
    Config(Vec<ConfigError>),
    /// A file or a socket cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The HTTP library cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    HttpClient(reqwest::Error),
    /// The sidecar did not respond.
    #[error("the sidecar at {0}: {1}")]
    NoResponse(SocketAddr, NoResponse),
    /// The sidecar responded with an error status.
    #[error("the sidecar at {0} responded with status {1}, not 200")]
    Status(SocketAddr, u16),
    /// The response is not a status of the sidecar.
    #[error("{0} is not a sidecar: {1}")]
    NotSidecar(SocketAddr, serde_json::Error),
    /// The pause file cannot be written.
    #[error("cannot write to {0}: {1}; name the sidecar's state directory by --state-dir")]
    Pause(PathBuf, io::Error),
    /// The pause file cannot be removed.
    #[error("cannot remove the pause in {0}: {1}")]
    Resume(PathBuf, io::Error),
    /// `pod` or `pod-exec` has no command.
    #[error("no command given; a program is expected after --")]
    NoCommand,
    /// The app of a local pod cannot be executed.
    #[error("cannot start {0}: {1}")]
    CannotStart(PathBuf, io::Error),
    /// There is no `healing-sidecar` in the directory of this program.
    #[error("{0} does not exist; build or install both programs, or name it by --sidecar PATH")]
    NoSidecar(PathBuf),
    /// The state directory of a local pod cannot be created.
    #[error("cannot create the state directory {0}: {1}")]
    StateDir(PathBuf, io::Error),
    /// Labelled data cannot be read.
    #[error("{0}: {1}")]
    ReadData(PathBuf, ReadDataError),
    /// A feature of the model is not in the data.
    #[error("the data have no column `{0}`, which the model requires")]
    MissingColumn(String),
    /// `--row` is out of range.
    #[error("row {row} is not one of 1 to {rows}")]
    NoSuchRow { row: usize, rows: usize },
    /// `explain` has neither features nor a row.
    #[error("a row of --data is required")]
    NoRow,
    /// A model file cannot be used.
    #[error("{0}: {1}")]
    Model(PathBuf, ReadModelError),
    /// A feature of the model has no value.
    #[error("the model cannot vote on these features: {0}")]
    MissingFeature(#[from] MissingFeature),
    /// A row of the data cannot be classified.
    #[error(transparent)]
    Evaluate(#[from] RowFault),
    /// Training on generated data failed.
    #[error("training failed: {0}")]
    Train(#[from] TrainingError),
    /// Training on a file failed.
    #[error("{0}: training failed: {1}")]
    TrainOnFile(PathBuf, TrainingError),
    /// The model file cannot be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
}

/// Failure to read labelled data.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadDataError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A row cannot be parsed.
    #[error(transparent)]
    Invalid(#[from] ReadError),
    /// The file has a header only.
    #[error("there are no rows; a header and at least one row are expected")]
    Empty,
}

impl CommandError {
    /// Returns the exit code of the program.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => exit_code::CONFIG,
            Self::NoCommand => exit_code::USAGE,
            Self::CannotStart(..) => NOT_FOUND,
            _ => 1,
        }
    }
}
