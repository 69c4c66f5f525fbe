//! Origin of a setting's value.

use std::fmt;
use std::path::PathBuf;

/// Origin of a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command line flag.
    Flag(String),
    /// An environment variable.
    Env(&'static str),
    /// The TOML file.
    File(PathBuf),
    /// The default.
    Default,
    /// The default in place of an invalid value (for `mode`: `observe`).
    Invalid,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Env(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
            Self::Invalid => f.write_str("in place of an invalid value"),
        }
    }
}
