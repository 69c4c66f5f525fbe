//! The patient's dependency, a separate process that keeps the records.
//!
//! Its protocol is lines over TCP: `PING` → `PONG`, `GET 3` → the value, `SHUTDOWN` (from loopback only) →
//! `BYE`, and the process exits. The patient cannot start it again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::info;

/// Default address of the dependency.
pub const DEFAULT_BIND: &str = "127.0.0.1:5003";
/// Maximum length of a line, in bytes.
const MAX_LINE_BYTES: u64 = 256;
/// Timeout of a request. It allows for a busy machine; the port of a process that has exited refuses
/// connections immediately.
const TIMEOUT: Duration = Duration::from_millis(2500);

/// Returns the value of a record.
pub(crate) fn value_of(id: u32) -> String {
    format!("record {id}")
}

/// Serves records on `addr` until `SHUTDOWN`.
///
/// # Errors
///
/// Returns an error if the address cannot be bound.
pub async fn run(addr: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(addr).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("the dependency cannot listen on {addr}: {error}"),
        )
    })?;
    info!(address = %listener.local_addr()?, "dependency serves");
    serve(listener).await;
    Ok(())
}

/// Serves connections until one sends `SHUTDOWN`.
pub async fn serve(listener: TcpListener) {
    let (stop, mut stopped) = watch::channel(false);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tokio::spawn(handle_connection(stream, peer, stop.clone()));
                }
                // For example out of file descriptors, which a pause may clear.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            _ = stopped.changed() => return,
        }
    }
}

async fn handle_connection(mut stream: TcpStream, peer: SocketAddr, stop: watch::Sender<bool>) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        match (&mut read).take(MAX_LINE_BYTES).read_line(&mut line).await {
            Ok(n) if n > 0 && line.ends_with('\n') => {}
            _ => return,
        }
        let (response, last) = match line.trim_end().split_once(' ') {
            None if line.trim_end() == "PING" => ("PONG".to_owned(), false),
            None if line.trim_end() == "SHUTDOWN" && peer.ip().to_canonical().is_loopback() => {
                ("BYE".to_owned(), true)
            }
            Some(("GET", id)) => match id.parse() {
                Ok(id) => (value_of(id), false),
                Err(_) => ("ERROR a number is expected after GET".to_owned(), false),
            },
            _ => (
                "ERROR unknown command; known: PING, GET and, from loopback, SHUTDOWN".to_owned(),
                false,
            ),
        };
        let sent = write.write_all(format!("{response}\n").as_bytes()).await;
        if last {
            stop.send_replace(true);
        }
        if last || sent.is_err() {
            return;
        }
    }
}

/// Client of the dependency: one connection per request.
#[derive(Debug, Clone)]
pub struct Dependency {
    address: String,
}

impl Dependency {
    /// Creates a client of the dependency at `HOST:PORT`. It does not connect yet.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// Returns the address, `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Checks that the dependency responds.
    ///
    /// # Errors
    ///
    /// Returns an error if the dependency cannot be reached, times out, or sends an invalid response.
    pub async fn ping(&self) -> io::Result<()> {
        match self.request("PING").await?.as_str() {
            "PONG" => Ok(()),
            other => Err(io::Error::other(format!(
                "the response to PING is {other:?}, not \"PONG\""
            ))),
        }
    }

    /// Returns the value of a record.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::ping`] does.
    pub async fn get(&self, id: u32) -> io::Result<String> {
        let response = self.request(&format!("GET {id}")).await?;
        if response.starts_with("ERROR") {
            Err(io::Error::other(response))
        } else {
            Ok(response)
        }
    }

    /// Requests the shutdown of the dependency's process.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::ping`] does.
    pub async fn shutdown(&self) -> io::Result<()> {
        match self.request("SHUTDOWN").await?.as_str() {
            "BYE" => Ok(()),
            other => Err(io::Error::other(other.to_owned())),
        }
    }

    async fn request(&self, command: &str) -> io::Result<String> {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(format!("{command}\n").as_bytes()).await?;
            let mut response = String::new();
            BufReader::new(stream)
                .take(MAX_LINE_BYTES)
                .read_line(&mut response)
                .await?;
            match response.strip_suffix('\n') {
                Some(response) => Ok(response.to_owned()),
                None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            }
        };
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dependency_responds_until_shutdown() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dependency = Dependency::new(&listener.local_addr().unwrap().to_string());
        let serving = tokio::spawn(serve(listener));

        dependency.ping().await.unwrap();
        assert_eq!(dependency.get(3).await.unwrap(), "record 3");
        assert!(
            dependency
                .request("GET x")
                .await
                .unwrap()
                .starts_with("ERROR")
        );
        assert!(
            dependency
                .request("HELLO")
                .await
                .unwrap()
                .starts_with("ERROR")
        );

        dependency.shutdown().await.unwrap();
        serving.await.unwrap();
        assert!(dependency.ping().await.is_err());
    }
}
