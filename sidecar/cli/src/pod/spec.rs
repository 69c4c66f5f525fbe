//! Specification of a pod: command lines of its containers, time scale and output.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Output;

/// Program with its arguments and additional environment.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// Path, or name that is searched in `PATH`.
    pub program: PathBuf,
    /// Arguments of the program.
    pub args: Vec<OsString>,
    /// Variables set in addition to the pod's own environment.
    pub env: Vec<(OsString, OsString)>,
}

impl CommandLine {
    /// Creates a command line without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }
}

/// Specification of a pod.
#[derive(Debug, Clone)]
pub struct PodSpec {
    /// Command line of the app.
    pub app: CommandLine,
    /// Command line of the sidecar.
    pub sidecar: CommandLine,
    /// Factor on the back-off, from 0 (exclusive) to 1. The kubelet's is 1; a smaller one is for
    /// demonstrations. Invalid values count as 1.
    pub time_scale: f64,
    /// Destination of the children's output.
    pub output: Output,
}

impl PodSpec {
    /// Creates a pod with the kubelet's back-off that prints its children's output.
    #[must_use]
    pub fn new(app: CommandLine, sidecar: CommandLine) -> Self {
        Self {
            app,
            sidecar,
            time_scale: 1.0,
            output: Output::Prefixed,
        }
    }
}
