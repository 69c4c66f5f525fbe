//! The patient's dependency: a process of its own that keeps the records.
//!
//! It speaks lines over TCP: `PING` → `PONG`, `GET 3` → the value, `SHUTDOWN` (from loopback
//! only) → `BYE` and the process ends. Ended so, nothing brings it back but whoever started it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::info;

/// Where the dependency listens when nothing is said.
pub const DEFAULT_BIND: &str = "127.0.0.1:5003";
/// Longest line either side reads.
const LINE_LIMIT: u64 = 256;
/// A process that has ended refuses at once; one that lives may wait long for its turn on a busy
/// machine.
const TIMEOUT: Duration = Duration::from_millis(2500);

/// The value that belongs to a record.
pub(crate) fn value_of(id: u32) -> String {
    format!("record {id}")
}

/// Serves on `addr` until told to shut down.
///
/// # Errors
/// The address cannot be bound.
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

/// Serves connections until one says `SHUTDOWN`.
pub async fn serve(listener: TcpListener) {
    let (stop, mut stopped) = watch::channel(false);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tokio::spawn(talk(stream, peer, stop.clone()));
                }
                // Out of file descriptors, say: it passes, and spinning would not help it.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            _ = stopped.changed() => return,
        }
    }
}

async fn talk(mut stream: TcpStream, peer: SocketAddr, stop: watch::Sender<bool>) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        match (&mut read).take(LINE_LIMIT).read_line(&mut line).await {
            Ok(n) if n > 0 && line.ends_with('\n') => {}
            _ => return,
        }
        let (answer, last) = match line.trim_end().split_once(' ') {
            None if line.trim_end() == "PING" => ("PONG".to_owned(), false),
            None if line.trim_end() == "SHUTDOWN" && peer.ip().to_canonical().is_loopback() => {
                ("BYE".to_owned(), true)
            }
            Some(("GET", id)) => match id.parse() {
                Ok(id) => (value_of(id), false),
                Err(_) => ("ERROR GET wants a number".to_owned(), false),
            },
            _ => (
                "ERROR known are PING, GET and, from loopback, SHUTDOWN".to_owned(),
                false,
            ),
        };
        let sent = write.write_all(format!("{answer}\n").as_bytes()).await;
        if last {
            stop.send_replace(true);
        }
        if last || sent.is_err() {
            return;
        }
    }
}

/// The patient's side: a connection of its own for each question.
#[derive(Debug, Clone)]
pub struct Dependency {
    address: String,
}

impl Dependency {
    /// The dependency at `HOST:PORT`. Nothing is connected yet.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// It cannot be reached, does not answer in time, or answers nonsense.
    pub async fn ping(&self) -> io::Result<()> {
        match self.ask("PING").await?.as_str() {
            "PONG" => Ok(()),
            other => Err(io::Error::other(format!("answered {other:?} to PING"))),
        }
    }

    /// The value of a record.
    ///
    /// # Errors
    /// As [`Self::ping`].
    pub async fn get(&self, id: u32) -> io::Result<String> {
        let answer = self.ask(&format!("GET {id}")).await?;
        if answer.starts_with("ERROR") {
            Err(io::Error::other(answer))
        } else {
            Ok(answer)
        }
    }

    /// Tells its process to end.
    ///
    /// # Errors
    /// As [`Self::ping`].
    pub async fn shut_down(&self) -> io::Result<()> {
        match self.ask("SHUTDOWN").await?.as_str() {
            "BYE" => Ok(()),
            other => Err(io::Error::other(other.to_owned())),
        }
    }

    async fn ask(&self, question: &str) -> io::Result<String> {
        let conversation = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(format!("{question}\n").as_bytes()).await?;
            let mut answer = String::new();
            BufReader::new(stream)
                .take(LINE_LIMIT)
                .read_line(&mut answer)
                .await?;
            match answer.strip_suffix('\n') {
                Some(answer) => Ok(answer.to_owned()),
                None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            }
        };
        tokio::time::timeout(TIMEOUT, conversation)
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_until_it_is_shut_down() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dependency = Dependency::at(&listener.local_addr().unwrap().to_string());
        let serving = tokio::spawn(serve(listener));

        dependency.ping().await.unwrap();
        assert_eq!(dependency.get(3).await.unwrap(), "record 3");
        assert!(dependency.ask("GET x").await.unwrap().starts_with("ERROR"));
        assert!(dependency.ask("HELLO").await.unwrap().starts_with("ERROR"));

        dependency.shut_down().await.unwrap();
        serving.await.unwrap();
        assert!(dependency.ping().await.is_err());
    }
}
