//! One client connection, HTTP/1.1 or HTTP/2, and the classification of its failures.

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
            _ => Self::Client, // such as too few descriptors or addresses
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

/// An HTTP/1.1 connection; dropping it closes the socket.
#[derive(Debug)]
pub(super) struct H1 {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

impl H1 {
    pub(super) async fn connect(port: u16) -> Result<Self, Failure> {
        let (sender, connection) = http1::handshake(TokioIo::new(dial(port).await?)).await?;
        let driver = tokio::spawn(async move {
            let _ = connection.await; // its failure is also the request's
        });
        Ok(Self { sender, driver })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

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

/// An HTTP/2 connection; clones share it, and it closes with the last one.
#[derive(Debug, Clone)]
pub(super) struct H2(http2::SendRequest<Empty<Bytes>>);

impl H2 {
    pub(super) async fn connect(port: u16) -> Result<Self, Failure> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .handshake(TokioIo::new(dial(port).await?))
            .await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

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
