//! Client connections of HTTP/1.1 and HTTP/2, and the classification of their failures.

use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::record::Cause;

/// Failure of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Connection refused.
    Refused,
    /// Connection lost.
    Reset,
    /// Connection lost before any byte of the request was sent.
    NotSent,
    /// Failure of the generator itself.
    Client,
}

impl Failure {
    /// Returns the outcome that the failure counts as.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::Refused => Cause::Refused,
            Self::Reset | Self::NotSent => Cause::Reset,
            Self::Client => Cause::Client,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof => Self::Reset,
            _ => Self::Client, // for example for lack of descriptors or addresses
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_canceled() {
            return Self::NotSent;
        }
        Self::Reset
    }
}

/// HTTP/1.1 connection; dropping it closes the socket.
#[derive(Debug)]
pub(super) struct H1 {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

impl H1 {
    /// Connects to a port on 127.0.0.1.
    pub(super) async fn connect(port: u16) -> Result<Self, Failure> {
        let (sender, connection) = http1::handshake(TokioIo::new(dial(port).await?)).await?;
        let driver = tokio::spawn(async move {
            let _ = connection.await; // the request reports its failure
        });
        Ok(Self { sender, driver })
    }

    /// Returns `true` if the server has not closed the connection.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and reads its response completely. The server closes the connection unless `keep` is
    /// set.
    pub(super) async fn get(&mut self, path: &str, keep: bool) -> Result<u16, Failure> {
        let mut request = request(path);
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_static("localhost"));
        if !keep {
            let close = HeaderValue::from_static("close");
            request.headers_mut().insert(CONNECTION, close);
        }
        self.sender.ready().await.map_err(|_| Failure::NotSent)?;
        complete(self.sender.send_request(request).await?).await
    }
}

impl Drop for H1 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// HTTP/2 connection; clones share it, and dropping the last one closes it.
#[derive(Debug, Clone)]
pub(super) struct H2(http2::SendRequest<Empty<Bytes>>);

impl H2 {
    /// Connects to a port on 127.0.0.1.
    pub(super) async fn connect(port: u16) -> Result<Self, Failure> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .handshake(TokioIo::new(dial(port).await?))
            .await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Returns `true` if the server has not closed the connection.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and reads its response completely.
    pub(super) async fn get(&mut self, path: &str) -> Result<u16, Failure> {
        self.0.ready().await.map_err(|_| Failure::NotSent)?;
        let mut request = request(path);
        let uri = format!("http://localhost{path}");
        *request.uri_mut() = uri.parse().map_err(|_| Failure::Client)?;
        complete(self.0.send_request(request).await?).await
    }
}

async fn dial(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn request(path: &str) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::GET;
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

async fn complete(response: http::Response<Incoming>) -> Result<u16, Failure> {
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}
