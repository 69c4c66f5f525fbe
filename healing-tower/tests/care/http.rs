//! A client that says exactly what it is told to, forged headers included.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends the bytes and reads to the end of the connection.
pub(crate) async fn raw(addr: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let cut = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, format!("{text:?}"));
        Ok(Answer {
            status: status.ok_or_else(cut)?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, exchange)
        .await
        .map_err(|_| std::io::ErrorKind::TimedOut)?
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Answer {
    try_get(addr, path)
        .await
        .unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

pub(crate) async fn try_get(addr: SocketAddr, path: &str) -> std::io::Result<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    raw(addr, request.as_bytes()).await
}

/// `POST /heal` with these headers beside length and `Connection: close`.
pub(crate) async fn post_heal(addr: SocketAddr, headers: &[&str], body: &str) -> Answer {
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
    raw(addr, request.as_bytes()).await.expect("POST /heal")
}

/// As the doctor does it.
pub(crate) async fn heal(addr: SocketAddr, action: &str) -> Answer {
    let body = format!(r#"{{"action":"{action}"}}"#);
    post_heal(addr, &["Host: 127.0.0.1", "X-Healing: 1"], &body).await
}

/// Asks again until it holds; fails loudly after 20 s.
pub(crate) async fn until<T, Fut>(what: &str, mut ask: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let asked = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, asked)
        .await
        .unwrap_or_else(|_| panic!("not within 20 s: {what}"))
}

/// One connection for many requests, until the server says that it closes, or `answered` says that
/// it is enough.
pub(crate) async fn kept_alive(addr: SocketAddr, path: &str, mut answered: impl FnMut() -> bool) {
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
        if !answered() || head.contains("connection: close") {
            return;
        }
    }
}
