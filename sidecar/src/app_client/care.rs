//! `POST /heal` on the care port: the only request that changes the app.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use healing_core::heal::{HealAction, HealError, HealRequest, HealResponse};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::http::{Client, NoResponse};

/// Maximum number of bytes that are read of a token file.
const MAX_TOKEN_BYTES: u64 = 4096;

/// Client of `POST /heal`.
#[derive(Debug, Clone)]
pub(crate) struct CareClient {
    client: Client,
    token_file: Option<PathBuf>,
}

/// Failure of a `POST /heal`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CareError {
    /// No complete response arrived.
    #[error("no response from the app: {0}")]
    NoResponse(#[source] NoResponse),
    /// The app responded with an error status.
    #[error("the app refused with {status} {code}: {message}")]
    Refused {
        status: u16,
        code: String,
        message: String,
    },
    /// The body of a response with status 200 cannot be parsed.
    #[error("the app responded with 200 and a body that does not match the schema")]
    Malformed,
    /// The token file cannot be used, so nothing was sent.
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
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file has no token.
    #[error("the file is empty; a token is expected")]
    Empty,
    /// The token does not fit into an HTTP header.
    #[error("the token contains characters that an HTTP header may not contain")]
    InvalidCharacters,
}

impl CareError {
    /// Returns `true` if it is certain that the app did nothing, because nothing was sent, or the
    /// connection or the request was refused. A refusal must not count as a failed heal, because a wrong token would
    /// lead to a restart.
    pub(crate) fn certainly_not_begun(&self) -> bool {
        match self {
            Self::NoResponse(NoResponse::Refused | NoResponse::Unresolved) | Self::Token { .. } => {
                true
            }
            Self::Refused { status, code, .. } => {
                (400..500).contains(status) || code == "runtime_stalled"
            }
            Self::NoResponse(_) | Self::Malformed => false,
        }
    }
}

impl CareClient {
    /// Creates a client that sends its requests by `client`.
    pub(crate) fn new(client: Client, token_file: Option<PathBuf>) -> Self {
        Self { client, token_file }
    }

    /// Requests an action. The whole exchange takes at most `limit`.
    pub(super) async fn heal(
        &self,
        action: HealAction,
        limit: Duration,
    ) -> Result<HealResponse, CareError> {
        let body = serde_json::to_vec(&HealRequest { action }).map_err(|_| CareError::Malformed)?;
        let response = self
            .client
            .post("/heal", self.headers()?, body, limit)
            .await
            .map_err(CareError::NoResponse)?;
        if response.status == 200 {
            return serde_json::from_slice(&response.body).map_err(|_| CareError::Malformed);
        }
        let error = serde_json::from_slice::<HealError>(&response.body).ok();
        let (code, message) = error.map_or_else(
            || (String::new(), "no reason given".to_owned()),
            |error| (error.error, error.message),
        );
        Err(CareError::Refused {
            status: response.status,
            code,
            message,
        })
    }

    /// Returns the header that no browser page can send across origins, and the token if one is
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

/// Returns the value of the `Authorization` header with the token from this file.
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
    fn heal_has_certainly_not_begun_after_refusal() {
        assert!(CareError::NoResponse(NoResponse::Refused).certainly_not_begun());
        assert!(CareError::NoResponse(NoResponse::Unresolved).certainly_not_begun());
        assert!(refused(403, "forbidden").certainly_not_begun());
        assert!(refused(503, "runtime_stalled").certainly_not_begun());
        assert!(!refused(500, "broken").certainly_not_begun());
        assert!(!CareError::NoResponse(NoResponse::TimedOut).certainly_not_begun());
        assert!(!CareError::Malformed.certainly_not_begun());
    }

    #[test]
    fn token_file_is_trimmed_and_rejected_if_empty_or_invalid() {
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
