//! One careful HTTP exchange with the app: limited in time and size, to exactly the address asked.
//!
//! No proxy, no redirect, no decompression, no reused connection: what is measured is whether a
//! *new* client gets in, and a sick app must be able neither to fill the doctor's memory nor to
//! send it elsewhere.

use std::error::Error;
use std::io;
use std::time::Duration;

use healing_core::observation::InvalidAnswer;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Url};
use tokio::time::{Instant, timeout};

/// The most that is read of any answer.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// An answer within the limits.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Whole body.
    pub body: Vec<u8>,
    /// Time from the request to the end of the body.
    pub took: Duration,
}

/// Reason for a missing reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// Nothing listens at the address.
    Refused,
    /// The reply was not complete within the limit.
    TimedOut,
    /// The reply was too large, or the exchange failed.
    Invalid(InvalidAnswer),
}

impl std::fmt::Display for NoReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("no complete answer in time"),
            Self::Invalid(InvalidAnswer::TooLarge) => {
                write!(f, "the answer is larger than {BODY_LIMIT} bytes")
            }
            Self::Invalid(_) => f.write_str("the connection broke, or it is not HTTP"),
        }
    }
}

/// Returns a client with these rules.
///
/// # Errors
///
/// When the TLS or resolver set-up of the HTTP library fails.
pub fn client() -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .http1_only()
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .user_agent(concat!("healing-sidecar/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends `GET url`; the whole exchange ends within `limit`.
///
/// # Errors
///
/// [`NoReply`] when there is no complete reply within the limits.
pub async fn get(client: &Client, url: &Url, limit: Duration) -> Result<Reply, NoReply> {
    exchange(client.request(Method::GET, url.clone()), limit).await
}

/// `POST url` with a JSON body and these headers, all of it within `limit`.
pub(crate) async fn post(
    client: &Client,
    url: &Url,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
    limit: Duration,
) -> Result<Reply, NoReply> {
    let request = client
        .request(Method::POST, url.clone())
        .headers(headers)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    exchange(request, limit).await
}

async fn exchange(request: RequestBuilder, limit: Duration) -> Result<Reply, NoReply> {
    let begin = Instant::now();
    timeout(limit, async {
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        let announced = response.content_length().unwrap_or(0);
        if announced > BODY_LIMIT as u64 {
            return Err(NoReply::Invalid(InvalidAnswer::TooLarge));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(NoReply::Invalid(InvalidAnswer::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            body,
            took: begin.elapsed(),
        })
    })
    .await
    .unwrap_or(Err(NoReply::TimedOut))
}

/// Refused means that nobody listens; everything else that breaks is an answer that makes no sense.
fn classify(error: &reqwest::Error) -> NoReply {
    if error.is_timeout() {
        return NoReply::TimedOut;
    }
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return NoReply::Refused,
            Some(io::ErrorKind::TimedOut) => return NoReply::TimedOut,
            _ => source = error.source(),
        }
    }
    NoReply::Invalid(InvalidAnswer::Transport)
}
