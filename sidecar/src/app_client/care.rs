//! `POST /heal` on the care port: the only request that changes the app.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use healing_core::heal::{HealAction, HealError, HealRequest, HealResponse};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Url};

use super::http::{self, NoReply};

/// Upper bound of the size of a token file, in bytes. A longer file is the wrong one.
const MAX_TOKEN_BYTES: u64 = 4096;

/// Client of `POST /heal`.
#[derive(Debug, Clone)]
pub(crate) struct CareClient {
    client: Client,
    url: Url,
    token_file: Option<PathBuf>,
}

/// Reason why the app did not do what was requested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CareError {
    #[error("no answer from the app: {0}")]
    NoReply(#[source] NoReply),
    #[error("the app refused with {status} {code}: {message}")]
    Refused {
        status: u16,
        code: String,
        message: String,
    },
    #[error("the app answered 200 with a body that does not match the schema")]
    Malformed,
    #[error("cannot use the token file {}: {problem}", path.display())]
    Token {
        path: PathBuf,
        #[source]
        problem: TokenError,
    },
}

/// Reason why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it contains characters that an HTTP header may not contain")]
    InvalidCharacters,
}

impl CareError {
    /// Returns `true` if it is certain that the app did nothing: the connection or the request was
    /// refused. Otherwise a wrong token would count as a heal that did not help, and lead to a
    /// restart.
    pub(crate) fn certainly_not_begun(&self) -> bool {
        match self {
            Self::NoReply(NoReply::Refused) | Self::Token { .. } => true,
            Self::Refused { status, code, .. } => {
                (400..500).contains(status) || code == "runtime_stalled"
            }
            Self::NoReply(_) | Self::Malformed => false,
        }
    }
}

impl CareClient {
    pub(crate) fn new(client: Client, care: &Url, token_file: Option<PathBuf>) -> Self {
        Self {
            client,
            url: http::at(care, "/heal"),
            token_file,
        }
    }

    /// Requests an action; the whole exchange ends within `limit`.
    pub(super) async fn heal(
        &self,
        action: HealAction,
        limit: Duration,
    ) -> Result<HealResponse, CareError> {
        let body = serde_json::to_vec(&HealRequest { action }).map_err(|_| CareError::Malformed)?;
        let reply = http::post(&self.client, &self.url, self.headers()?, body, limit)
            .await
            .map_err(CareError::NoReply)?;
        if reply.status == 200 {
            return serde_json::from_slice(&reply.body).map_err(|_| CareError::Malformed);
        }
        let error = serde_json::from_slice::<HealError>(&reply.body).ok();
        let (code, message) = error.map_or_else(
            || (String::new(), "no reason given".to_owned()),
            |error| (error.error, error.message),
        );
        Err(CareError::Refused {
            status: reply.status,
            code,
            message,
        })
    }

    /// Returns the header that no browser page can send across origins, and the token where one is
    /// configured. The token file is read for each request, because mounted secrets are rotated.
    fn headers(&self) -> Result<HeaderMap, CareError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-healing", HeaderValue::from_static("1"));
        if let Some(path) = &self.token_file {
            let value = authorization(path).map_err(|problem| CareError::Token {
                path: path.clone(),
                problem,
            })?;
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }
}

fn authorization(token_file: &std::path::Path) -> Result<HeaderValue, TokenError> {
    let mut token = String::new();
    File::open(token_file)?
        .take(MAX_TOKEN_BYTES)
        .read_to_string(&mut token)?;
    let token = token.trim();
    if token.is_empty() {
        return Err(TokenError::Empty);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| TokenError::InvalidCharacters)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> CareError {
        CareError::Refused {
            status,
            code: code.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn refusals_and_missing_tokens_have_certainly_not_begun() {
        assert!(CareError::NoReply(NoReply::Refused).certainly_not_begun());
        assert!(refused(403, "forbidden").certainly_not_begun());
        assert!(refused(503, "runtime_stalled").certainly_not_begun());
        assert!(!refused(500, "broken").certainly_not_begun());
        assert!(!CareError::NoReply(NoReply::TimedOut).certainly_not_begun());
        assert!(!CareError::Malformed.certainly_not_begun());
    }

    #[test]
    fn token_file_is_trimmed_and_empty_one_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let token = authorization(file.path());
        assert!(matches!(token, Err(TokenError::Empty)));
        std::fs::write(file.path(), "secret\n").unwrap();
        assert_eq!(authorization(file.path()).unwrap(), "Bearer secret");
        std::fs::write(file.path(), "a\u{7f}b").unwrap();
        let token = authorization(file.path());
        assert!(matches!(token, Err(TokenError::InvalidCharacters)));
    }
}
