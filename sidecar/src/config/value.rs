//! Parsers of the settings' values, one per kind.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::Restart;
use super::error::{UrlError, ValueError};

pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, ValueError> {
    choices
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| ValueError::NotOneOf {
            text: text.to_owned(),
            expected: choices
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

pub(super) fn restart(text: &str) -> Result<Restart, ValueError> {
    if text == "signal" {
        return Err(ValueError::Unavailable(text.to_owned()));
    }
    one_of(
        text,
        &[("exit", Restart::Exit), ("liveness", Restart::Liveness)],
    )
}

pub(super) fn duration(text: &str, min: Duration, max: Duration) -> Result<Duration, ValueError> {
    let value = humantime::parse_duration(text)
        .map_err(|error| ValueError::Duration(text.to_owned(), error))?;
    if value < min || value > max {
        return Err(ValueError::OutOfRange {
            text: text.to_owned(),
            min: humantime::format_duration(min),
            max: humantime::format_duration(max),
        });
    }
    Ok(value)
}

pub(super) fn address(text: &str) -> Result<SocketAddr, ValueError> {
    text.parse()
        .map_err(|error| ValueError::Address(text.to_owned(), error))
}

#[allow(clippy::unnecessary_wraps)] // the signature of a parser
pub(super) fn path(text: &str) -> Result<Option<PathBuf>, ValueError> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

pub(super) fn url(text: &str) -> Result<Url, ValueError> {
    app_url(text).map_err(|error| ValueError::Url(text.to_owned(), error))
}

fn app_url(text: &str) -> Result<Url, UrlError> {
    let url = Url::parse(text).map_err(|error| UrlError::Syntax(error.to_string()))?;
    if url.scheme() != "http" {
        return Err(UrlError::NotHttp);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::Path);
    }
    Ok(url)
}
