//! Failure of a recording or of a comparison.

use std::io;
use std::path::PathBuf;

use crate::cgroup::CgroupError;
use crate::free_port::NoFreePort;
use crate::poll::WaitTimeout;

/// Reason why there is no recording or no comparison.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A file cannot be read or written.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A line of a recording is invalid.
    #[error("{}, line {number}: {error}", path.display())]
    Line {
        /// File.
        path: PathBuf,
        /// Number of the line, from 1.
        number: u32,
        /// Error of the parser.
        #[source]
        error: serde_json::Error,
    },
    /// A recording cannot be written as JSON.
    #[error("a recording cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// This machine does not let the process set up a cgroup.
    #[error("a recording needs root and cgroups: {0}")]
    Cgroup(#[from] CgroupError),
    /// The app gets no ports.
    #[error(transparent)]
    Ports(#[from] NoFreePort),
    /// A process cannot be started or tied to this one.
    #[error("the patient app cannot run: {0}")]
    Process(#[from] io::Error),
    /// The patient app cannot serve.
    #[error("the patient app: {0}")]
    Patient(#[from] patient_app::RunError),
    /// The patient app did not become ready in time.
    #[error(transparent)]
    NotReady(#[from] WaitTimeout),
    /// The HTTP client of the probes cannot be set up.
    #[error("no HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The care port does not report a figure that is a parameter of the simulation.
    #[error("/health reports no {0}, which the simulation needs")]
    NoFigure(&'static str),
}
