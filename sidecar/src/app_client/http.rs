//! One HTTP exchange, limited in time and size, with exactly the address requested.
//!
//! The client uses no proxy, redirect, decompression or reused connection. A probe measures if a
//! *new* client is served, and a sick app must be able neither to fill the doctor's memory nor to
//! redirect its requests.

use std::error::Error;
use std::io;
use std::time::Duration;

use healing_core::observation::InvalidAnswer;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, Url};
use tokio::time::{Instant, timeout};

/// Maximum size of the body of a response, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Response within the limits.
#[derive(Debug)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Whole body.
    pub body: Vec<u8>,
    /// Time from the request to the end of the body.
    pub took: Duration,
}

/// Reason for a missing response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoResponse {
    /// Nothing listens at the address.
    #[error("connection refused")]
    Refused,
    /// The response was not complete within the limit.
    #[error("no complete response within the time limit")]
    TimedOut,
    /// The response was too large, or the exchange failed.
    #[error("{}", describe(*.0))]
    Invalid(InvalidAnswer),
}

fn describe(problem: InvalidAnswer) -> String {
    match problem {
        InvalidAnswer::TooLarge => format!("the response is larger than {BODY_LIMIT} bytes"),
        _ => "the connection broke, or the peer does not speak HTTP".to_owned(),
    }
}

/// Creates a client with the rules of this module.
///
/// # Errors
///
/// Returns an error if the HTTP library cannot be set up.
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

/// Sends `GET url`. The whole exchange takes at most `limit`.
///
/// # Errors
///
/// Returns [`NoResponse`] if there is no complete response within the limits.
pub async fn get(client: &Client, url: &Url, limit: Duration) -> Result<Response, NoResponse> {
    exchange(client.request(Method::GET, url.clone()), limit).await
}

/// Sends `POST url` with a JSON body and these headers. The whole exchange takes at most `limit`.
pub(crate) async fn post(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
    body: Vec<u8>,
    limit: Duration,
) -> Result<Response, NoResponse> {
    let request = client
        .request(Method::POST, url.clone())
        .headers(headers)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    exchange(request, limit).await
}

/// Returns the base address with this path. `config` checks that base addresses have no path of
/// their own.
pub(crate) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

async fn exchange(request: RequestBuilder, limit: Duration) -> Result<Response, NoResponse> {
    let begin = Instant::now();
    timeout(limit, async {
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        let announced = response.content_length().unwrap_or(0);
        if announced > BODY_LIMIT as u64 {
            return Err(NoResponse::Invalid(InvalidAnswer::TooLarge));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(NoResponse::Invalid(InvalidAnswer::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status,
            body,
            took: begin.elapsed(),
        })
    })
    .await
    .unwrap_or(Err(NoResponse::TimedOut))
}

/// Classifies a transport error. "Refused" means that nothing listens; any other failure counts as
/// an invalid response.
fn classify(error: &reqwest::Error) -> NoResponse {
    if error.is_timeout() {
        return NoResponse::TimedOut;
    }
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return NoResponse::Refused,
            Some(io::ErrorKind::TimedOut) => return NoResponse::TimedOut,
            _ => source = error.source(),
        }
    }
    NoResponse::Invalid(InvalidAnswer::Transport)
}
