//! Errors of the settings. Each names the problem, the origin of the value and a valid value.

use std::ffi::OsString;
use std::io;
use std::net::AddrParseError;
use std::path::PathBuf;

use healing_core::config::ConfigErrors;
use toml::Value;

use super::Origin;

/// Invalid setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} ({origin}): {problem}")]
pub struct ConfigError {
    /// The setting, or `config` for the file as a whole.
    pub setting: String,
    /// Origin of the invalid value.
    pub origin: Origin,
    /// The problem, and a valid value.
    pub problem: String,
}

/// Reason why the text of a setting is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValueError {
    /// The text is not UTF-8.
    #[error("{} is not UTF-8", .0.display())]
    NotUtf8(OsString),
    /// The TOML value has another type.
    #[error("{found} is not a string; a string is expected, such as {name} = \"{example}\"")]
    NotString {
        found: Value,
        name: &'static str,
        example: &'static str,
    },
    /// The text is not one of the choices.
    #[error("\"{text}\" is not one of {expected}")]
    NotOneOf { text: String, expected: String },
    /// The choice exists only in other versions.
    #[error("\"{0}\" is not available in this version; use exit or liveness")]
    Unavailable(String),
    /// The text is not a duration.
    #[error("\"{0}\" is not a duration such as 5s or 250ms: {1}")]
    Duration(String, humantime::DurationError),
    /// The duration is too short or too long.
    #[error("{text} is out of range: from {min} to {max}")]
    OutOfRange {
        text: String,
        min: humantime::FormattedDuration,
        max: humantime::FormattedDuration,
    },
    /// The text is not a socket address.
    #[error("\"{0}\" is not ADDRESS:PORT, such as 0.0.0.0:5001")]
    Address(String, #[source] AddrParseError),
    /// The text is not the address of an app.
    #[error("\"{0}\": {1}, such as http://127.0.0.1:5000")]
    Url(String, UrlError),
}

/// Reason why a text is not the address of an app.
#[derive(Debug, thiserror::Error)]
pub(super) enum UrlError {
    /// The text is not a URL.
    #[error("{0}; a URL is expected")]
    Syntax(String),
    /// The scheme is not `http`.
    #[error("only http is supported to the app in the same pod")]
    NotHttp,
    /// The URL has a user name or a password.
    #[error("credentials are not supported; a URL without them is expected")]
    Credentials,
    /// The URL has a path, a query or a fragment.
    #[error("a URL without a path is expected")]
    Path,
}

/// Reason why the TOML file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The content is not TOML.
    #[error("{0} is not TOML: {1}")]
    Syntax(PathBuf, toml::de::Error),
}

/// Reason why the `[policy]` table cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PolicyError {
    /// `policy` is not a table.
    #[error("a table is expected: [policy]")]
    NotTable,
    /// The policy of the profile cannot be written as TOML.
    #[error("{0}")]
    Serialize(#[from] toml::ser::Error),
    /// A setting is unknown, missing or of another type.
    #[error("{}", .0.message())]
    Deserialize(#[from] toml::de::Error),
    /// A setting is out of its range.
    #[error("{0}")]
    Invalid(#[from] ConfigErrors),
}
