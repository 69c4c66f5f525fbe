//! HTTP/1.1 client that sends requests verbatim, forged headers included.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends the bytes and reads until the server closes the connection.
pub(crate) async fn send_raw(addr: SocketAddr, request: &[u8]) -> std::io::Result<Response> {
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let incomplete =
            || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, format!("{text:?}"));
        Ok(Response {
            status: status.ok_or_else(incomplete)?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, exchange)
        .await
        .map_err(|_| std::io::ErrorKind::TimedOut)?
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Response {
    try_get(addr, path)
        .await
        .unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

pub(crate) async fn try_get(addr: SocketAddr, path: &str) -> std::io::Result<Response> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    send_raw(addr, request.as_bytes()).await
}

/// Sends `POST /heal` with these headers, the length and `Connection: close`.
pub(crate) async fn post_heal(addr: SocketAddr, headers: &[&str], body: &str) -> Response {
    let mut request = format!(
        "POST /heal HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
    send_raw(addr, request.as_bytes())
        .await
        .expect("POST /heal")
}

/// Sends a heal as the doctor does.
pub(crate) async fn heal(addr: SocketAddr, action: &str) -> Response {
    let body = format!(r#"{{"action":"{action}"}}"#);
    post_heal(addr, &["Host: 127.0.0.1", "X-Healing: 1"], &body).await
}

/// Polls until the condition yields a value; panics after 20 s.
pub(crate) async fn wait_until<T, Fut>(condition: &str, mut poll: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let polling = async {
        loop {
            if let Some(found) = poll().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, polling)
        .await
        .unwrap_or_else(|_| panic!("not within 20 s: {condition}"))
}

/// Sends requests on one connection until the server closes it or `on_response` returns false.
pub(crate) async fn send_keep_alive(
    addr: SocketAddr,
    path: &str,
    mut on_response: impl FnMut() -> bool,
) {
    let Ok(mut stream) = TcpStream::connect(addr).await else {
        return;
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n");
    let mut bytes = Vec::new();
    while stream.write_all(request.as_bytes()).await.is_ok() {
        bytes.clear();
        let body_begins = loop {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..body_begins]).to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        let end = body_begins + length.unwrap().parse::<usize>().unwrap();
        while bytes.len() < end {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        if !on_response() || head.contains("connection: close") {
            return;
        }
    }
}
