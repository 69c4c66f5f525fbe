//! One HTTP exchange, limited in time and size, with exactly the address requested.
//!
//! Each exchange has a connection of its own, without proxy, redirect or decompression. A probe measures if
//! a *new* client is served, and a sick app must be able neither to fill the doctor's memory nor to redirect
//! its requests.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use healing_core::observation::InvalidAnswer;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use url::Url;

use super::resolver::Resolver;
use crate::sockets::OwnConnections;

/// Maximum size of the body of a response, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Value of the `User-Agent` header.
const AGENT: &str = concat!("healing-sidecar/", env!("CARGO_PKG_VERSION"));

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
    own: OwnConnections,
}

impl Client {
    /// Creates a client of the host and port of `url`. Its connections are added to `own`.
    #[must_use]
    pub fn new(url: &Url, own: OwnConnections) -> Self {
        Self {
            resolver: Resolver::new(url),
            authority: url.authority().to_owned(),
            own,
        }
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
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, AGENT)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| NoResponse::Invalid(InvalidAnswer::Transport))?;
        request.headers_mut().extend(headers);
        let exchange = async {
            let stream = connect(addresses).await.map_err(|error| classify(&error))?;
            let local = stream.local_addr().map_err(|error| classify(&error))?;
            let _open = self.own.open(local);
            send(stream, request).await
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
}

/// Connects to the first address that accepts. Returns the error of the last one.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addresses).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends the request. Returns status and body of the response.
async fn send(
    stream: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Vec<u8>), NoResponse> {
    let (mut sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| classify(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(|error| classify(&error))?.into_parts();
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        let body = body.map_err(|error| classify(&*error))?.to_bytes();
        Ok((head.status.as_u16(), body.into()))
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        response = &mut exchange => return response,
        // The rest of the response is already received, or it is missing.
        _closed = connection => {}
    }
    exchange.await
}

/// Classifies a transport error. "Refused" means that nothing listens; any other failure counts as
/// an invalid response.
fn classify(error: &(dyn Error + 'static)) -> NoResponse {
    let mut source = Some(error);
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return NoResponse::Invalid(InvalidAnswer::TooLarge);
        }
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return NoResponse::Refused,
            Some(io::ErrorKind::TimedOut) => return NoResponse::TimedOut,
            _ => source = error.source(),
        }
    }
    NoResponse::Invalid(InvalidAnswer::Transport)
}
