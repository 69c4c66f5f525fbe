//! One HTTP exchange, limited in time and size, with exactly the address requested.
//!
//! The client uses no proxy, redirect, decompression or reused connection. A probe measures if a *new* client
//! is served, and a sick app must be able neither to fill the doctor's memory nor to redirect its requests.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use healing_core::observation::InvalidAnswer;
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use tokio::time::{Instant, timeout};

use super::resolver::Resolver;

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
    /// The host name cannot be resolved, so that nothing was sent.
    #[error("the host name cannot be resolved")]
    Unresolved,
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

/// HTTP client of one port.
#[derive(Debug, Clone)]
pub struct Client {
    resolver: Resolver,
    authority: String,
    http: reqwest::Client,
    /// Client of IPv4 loopback addresses that sends from an address of its own.
    from_source: Option<reqwest::Client>,
}

impl Client {
    /// Creates a client of the host and port of `url`.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP library cannot be set up.
    pub fn new(url: &Url) -> reqwest::Result<Self> {
        Self::with_source(url, None)
    }

    /// Creates a client whose connections to IPv4 loopback addresses come from `source`, a loopback address
    /// as well.
    pub(super) fn with_source(url: &Url, source: Option<Ipv4Addr>) -> reqwest::Result<Self> {
        let from_source = source.map(|source| builder().local_address(Some(source.into())).build());
        Ok(Self {
            resolver: Resolver::new(url),
            authority: url.authority().to_owned(),
            http: builder().build()?,
            from_source: from_source.transpose()?,
        })
    }

    /// Returns the port.
    pub(super) fn port(&self) -> u16 {
        self.resolver.port()
    }

    /// Returns the addresses of the host, within `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`NoResponse::Unresolved`] if the name has no address, or the resolver does not respond.
    pub async fn resolve(&self, limit: Duration) -> Result<Vec<SocketAddr>, NoResponse> {
        let addresses = self.resolver.resolve(limit).await;
        addresses.map_err(|_| NoResponse::Unresolved)
    }

    /// Sends `GET path` to the first of these addresses that accepts a connection. The whole exchange takes
    /// at most `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`NoResponse`] if there is no complete response within the limits.
    pub async fn get(
        &self,
        addresses: &[SocketAddr],
        path: &str,
        limit: Duration,
    ) -> Result<Response, NoResponse> {
        let (headers, body) = (HeaderMap::new(), Vec::new());
        self.exchange(addresses, Method::GET, path, headers, body, limit)
            .await
    }

    /// Sends `POST path` with a JSON body and these headers. The exchange takes at most `limit`, as does
    /// the resolution of the name.
    pub(super) async fn post(
        &self,
        path: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Response, NoResponse> {
        let addresses = self.resolve(limit).await?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.exchange(&addresses, Method::POST, path, headers, body, limit)
            .await
    }

    async fn exchange(
        &self,
        addresses: &[SocketAddr],
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Response, NoResponse> {
        let begin = Instant::now();
        let exchange = async {
            let mut failure = NoResponse::Unresolved;
            for address in addresses {
                // The URL names the address, so that the HTTP library resolves no name within the limit.
                let url = format!("http://{address}{path}");
                let request = self.http_to(*address).request(method.clone(), url);
                let request = request.header(HOST, &self.authority);
                let request = request.headers(headers.clone()).body(body.clone());
                match request.send().await {
                    Ok(response) => return receive(response).await,
                    Err(error) if !error.is_connect() => return Err(classify(&error)),
                    // An address that refuses says more than one that the machine does not have.
                    Err(_) if failure == NoResponse::Refused => {}
                    Err(error) => failure = classify(&error),
                }
            }
            Err(failure)
        };
        let (status, body) = timeout(limit, exchange)
            .await
            .unwrap_or(Err(NoResponse::TimedOut))?;
        Ok(Response {
            status,
            body,
            took: begin.elapsed(),
        })
    }

    fn http_to(&self, address: SocketAddr) -> &reqwest::Client {
        match (&self.from_source, address) {
            (Some(client), SocketAddr::V4(address)) if address.ip().is_loopback() => client,
            _ => &self.http,
        }
    }
}

/// Returns the settings of an HTTP client with the rules of this module.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
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
}

/// Returns status and body of a response.
async fn receive(mut response: reqwest::Response) -> Result<(u16, Vec<u8>), NoResponse> {
    let status = response.status().as_u16();
    if response.content_length().unwrap_or(0) > BODY_LIMIT as u64 {
        return Err(NoResponse::Invalid(InvalidAnswer::TooLarge));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(NoResponse::Invalid(InvalidAnswer::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

/// Classifies a transport error. "Refused" means that nothing listens; any other failure counts as
/// an invalid response.
fn classify(error: &reqwest::Error) -> NoResponse {
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

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn client() -> Client {
        Client::new(&Url::parse("http://app.example:81").unwrap()).unwrap()
    }

    /// Returns an address of which connections are refused.
    async fn closed() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn request_with_host_of_the_url_goes_to_the_first_address_that_accepts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let echo = get(|headers: HeaderMap| async move { headers[HOST].as_bytes().to_vec() });
        let app = Router::new().route("/host", echo);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let addresses = [closed().await, open];
        let response = client().get(&addresses, "/host", LIMIT).await.unwrap();
        assert_eq!(response.body, b"app.example:81");
    }

    #[tokio::test]
    async fn refusal_outweighs_an_address_that_cannot_be_used() {
        // No connection can be made to the broadcast address.
        let (closed, unusable) = (closed().await, SocketAddr::from(([255; 4], 80)));
        for (addresses, expected) in [
            (
                vec![unusable],
                NoResponse::Invalid(InvalidAnswer::Transport),
            ),
            (vec![unusable, closed], NoResponse::Refused),
            (vec![closed, unusable], NoResponse::Refused),
            (vec![], NoResponse::Unresolved),
        ] {
            let result = client().get(&addresses, "/", LIMIT).await;
            assert_eq!(result.unwrap_err(), expected, "{addresses:?}");
        }
    }
}
