//! An app that answers as it is told: first well, then badly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a healthy app says on its care port.
pub(crate) const HEALTHY: &str = r#"{"status":"healthy","cpu_usage":5.0,"memory_usage":10.0,"error_count":0,"uptime":1000.0,"schema":1,"instance_id":"fake","pid":4242,"hour_of_day":12,"started":true,"requests_total":100,"errors_total":0,"in_flight":0,"runtime":{"tick_age_seconds":0.01,"lag_seconds":0.001,"stalled":false}}"#;

/// How a port answers.
#[derive(Debug, Clone)]
pub(crate) enum Answers {
    /// These bytes.
    Raw(Vec<u8>),
    /// The connection is closed.
    Close,
    /// Nothing, for longer than any limit.
    Hang,
    /// Correct, at a byte a second.
    Drip,
    /// So many bytes of body.
    Endless { announced: Option<u64>, bytes: u64 },
}

/// A whole answer.
pub(crate) fn http(status: u16, body: &str) -> Answers {
    Answers::Raw(
        format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// Both ports of an app.
pub(crate) struct FakeApp {
    pub(crate) app: SocketAddr,
    pub(crate) care: SocketAddr,
    script: Arc<Script>,
}

struct Script {
    good: AtomicUsize,
    bad: Mutex<Answers>,
    door: Mutex<Answers>,
    door_good: AtomicUsize,
    heals: Mutex<Vec<String>>,
}

impl FakeApp {
    /// Answers `/health` well `good` times, then with `bad`; the front door always well.
    pub(crate) async fn start(good: usize, bad: Answers) -> Self {
        let script = Arc::new(Script {
            good: AtomicUsize::new(good),
            bad: Mutex::new(bad),
            door: Mutex::new(http(200, "{\"status\":\"ok\"}")),
            door_good: AtomicUsize::new(usize::MAX),
            heals: Mutex::default(),
        });
        let app = listen(Arc::clone(&script)).await;
        let care = listen(Arc::clone(&script)).await;
        Self { app, care, script }
    }

    /// Well so often, then its runtime stands still.
    pub(crate) async fn wedged(good: usize) -> Self {
        let stalled = HEALTHY.replace("\"stalled\":false", "\"stalled\":true");
        let app = Self::start(good, http(200, &stalled)).await;
        app.front_door_hangs_after(good);
        app
    }

    pub(crate) fn front_door(&self, answers: Answers) {
        *self.script.door.lock().unwrap() = answers;
    }

    fn front_door_hangs_after(&self, good: usize) {
        self.script.door_good.store(good, Ordering::SeqCst);
    }

    pub(crate) fn well_again(&self) {
        self.script.good.store(usize::MAX, Ordering::SeqCst);
        self.script.door_good.store(usize::MAX, Ordering::SeqCst);
    }

    /// The bodies of all `POST /heal`, oldest first.
    pub(crate) fn heals(&self) -> Vec<String> {
        self.script.heals.lock().unwrap().clone()
    }
}

async fn listen(script: Arc<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let script = Arc::clone(&script);
            // A client that goes away midway is its own business.
            tokio::spawn(async move {
                let _ = serve(stream, &script).await;
            });
        }
    });
    address
}

fn left(counter: &AtomicUsize) -> bool {
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            usize::MAX => Some(usize::MAX),
            left => left.checked_sub(1),
        })
        .is_ok()
}

async fn serve(mut stream: TcpStream, script: &Script) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let answers = if head.starts_with("GET /health ") {
        if left(&script.good) {
            http(200, HEALTHY)
        } else {
            script.bad.lock().unwrap().clone()
        }
    } else if head.starts_with("POST /heal ") {
        let body = head.split("\r\n\r\n").nth(1).unwrap_or_default();
        script.heals.lock().unwrap().push(body.to_owned());
        let action = ["restart_service", "undrain", "drain", "reset_errors"]
            .into_iter()
            .find(|action| body.contains(action))
            .unwrap();
        http(
            200,
            &format!(
                "{{\"action\":\"{action}\",\"message\":\"done\",\"previous_error_count\":0,\"current_status\":\"healthy\"}}"
            ),
        )
    } else if left(&script.door_good) {
        script.door.lock().unwrap().clone()
    } else {
        Answers::Hang
    };
    answer(stream, answers).await
}

async fn answer(mut stream: TcpStream, answers: Answers) -> std::io::Result<()> {
    match answers {
        Answers::Raw(bytes) => stream.write_all(&bytes).await,
        Answers::Close => Ok(()),
        Answers::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        Answers::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Answers::Endless { announced, bytes } => {
            let length = announced.map_or(String::new(), |length| {
                format!("content-length: {length}\r\n")
            });
            stream
                .write_all(
                    format!("HTTP/1.1 200 OK\r\n{length}connection: close\r\n\r\n").as_bytes(),
                )
                .await?;
            let chunk = vec![b'x'; 64 * 1024];
            for _ in 0..bytes / chunk.len() as u64 {
                stream.write_all(&chunk).await?;
            }
            Ok(())
        }
    }
}
