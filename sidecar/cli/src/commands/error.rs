//! Failures of the subcommands, and their exit codes.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use healing_core::model::{CannotClassify, RowFault};
use healing_sidecar::app_client::http::NoReply;
use healing_sidecar::config::ConfigError;
use healing_sidecar::exit_code;
use healing_sidecar::model_file::ReadModelError;
use healing_training::TrainingError;
use healing_training::reader::ReadError;

/// "Command not found", as shells report it.
pub(super) const NOT_FOUND: u8 = 127;

/// Failure of a subcommand.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// Invalid settings; never empty.
    #[error("invalid configuration")]
    Config(Vec<ConfigError>),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("the HTTP client cannot be set up: {0}")]
    HttpClient(reqwest::Error),
    #[error("the sidecar at {0}: {1}")]
    NoReply(SocketAddr, NoReply),
    #[error("the sidecar at {0} answered with status {1}")]
    Status(SocketAddr, u16),
    #[error("{0} is not a sidecar: {1}")]
    NotSidecar(SocketAddr, serde_json::Error),
    #[error("cannot write to {0}: {1}; name the sidecar's state directory by --state-dir")]
    Pause(PathBuf, io::Error),
    #[error("cannot resume in {0}: {1}")]
    Resume(PathBuf, io::Error),
    #[error("no command given")]
    NoCommand,
    #[error("cannot start {0}: {1}")]
    CannotStart(PathBuf, io::Error),
    #[error("{0} does not exist: build or install both programs, or name it by --sidecar PATH")]
    NoSidecar(PathBuf),
    #[error("cannot create the state directory {0}: {1}")]
    StateDir(PathBuf, io::Error),
    #[error("{0}: {1}")]
    ReadData(PathBuf, ReadDataError),
    #[error("the data have no column `{0}`, which the model requires")]
    MissingColumn(String),
    #[error("row {row} is not one of 1 to {rows}")]
    NoSuchRow { row: usize, rows: usize },
    #[error("a row of --data is required")]
    NoRow,
    #[error("{0}: {1}")]
    Model(PathBuf, ReadModelError),
    #[error("the model cannot classify these figures: {0}")]
    CannotClassify(#[from] CannotClassify),
    #[error(transparent)]
    Evaluate(#[from] RowFault),
    #[error("training failed: {0}")]
    Train(#[from] TrainingError),
    #[error("{0}: training failed: {1}")]
    TrainOnFile(PathBuf, TrainingError),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
}

/// Failure to read labelled data.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadDataError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Invalid(#[from] ReadError),
    #[error("there are no rows")]
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
