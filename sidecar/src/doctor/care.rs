//! `POST /heal` on the care port: the only thing the doctor ever asks the app to do.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use healing_core::health::{HealAction, HealError, HealRequest, HealResponse};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Url};

use super::http::{self, NoReply};
use super::probe::at;

/// A token is short; a file that is longer is the wrong file.
const MOST_TOKEN_BYTES: u64 = 4096;

/// Asks the app to heal itself, or to drain.
#[derive(Debug, Clone)]
pub(super) struct Care {
    client: Client,
    url: Url,
    token_file: Option<PathBuf>,
}

/// Why the app did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CareError {
    #[error("the app did not answer: {0}")]
    NoReply(NoReply),
    #[error("the app refused with {status} {code}: {message}")]
    Refused {
        status: u16,
        code: String,
        message: String,
    },
    #[error("the app answered 200 with something that is not the schema's JSON")]
    Malformed,
    #[error("cannot read the token file {path}: {problem}")]
    Token { path: PathBuf, problem: String },
}

impl CareError {
    /// Whether it is certain that nothing was done: nobody listened, or the request was refused.
    /// Without a recorded refusal a wrong token would count as a heal that did not help, and lead
    /// to a restart.
    pub(super) fn certainly_not_begun(&self) -> bool {
        match self {
            Self::NoReply(NoReply::Refused) | Self::Token { .. } => true,
            Self::Refused { status, code, .. } => {
                (400..500).contains(status) || code == "runtime_stalled"
            }
            Self::NoReply(_) | Self::Malformed => false,
        }
    }
}

impl Care {
    pub(super) fn new(client: Client, care: &Url, token_file: Option<PathBuf>) -> Self {
        Self {
            client,
            url: at(care, "/heal"),
            token_file,
        }
    }

    pub(super) async fn ask(
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

    /// The header that no browser page can send across origins, and the token where one is
    /// configured. It is read anew each time: mounted secrets are rotated under us.
    fn headers(&self) -> Result<HeaderMap, CareError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-healing", HeaderValue::from_static("1"));
        if let Some(path) = &self.token_file {
            let wrong = |problem: String| CareError::Token {
                path: path.clone(),
                problem,
            };
            let mut token = String::new();
            File::open(path)
                .and_then(|file| file.take(MOST_TOKEN_BYTES).read_to_string(&mut token))
                .map_err(|error| wrong(error.to_string()))?;
            let token = token.trim();
            if token.is_empty() {
                return Err(wrong("it is empty".to_owned()));
            }
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| wrong("it holds characters that no header may".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }
}
