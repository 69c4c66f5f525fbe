//! Fake app with scripted responses, first good ones, then bad ones.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Report of a healthy app on its care port.
pub(crate) const HEALTHY: &str = r#"{"status":"healthy","cpu_usage":5.0,"memory_usage":10.0,"error_count":0,"uptime":1000.0,"schema":1,"instance_id":"fake","pid":4242,"hour_of_day":12,"started":true,"requests_total":100,"errors_total":0,"in_flight":0,"runtime":{"tick_age_seconds":0.01,"lag_seconds":0.001,"stalled":false}}"#;

/// Response of a port.
#[derive(Debug, Clone)]
pub(crate) enum Response {
    /// Raw bytes.
    Raw(Vec<u8>),
    /// No bytes, and the connection is closed.
    Close,
    /// No bytes for longer than any time limit.
    Hang,
    /// A correct head at one byte per second.
    Drip,
    /// A body of `bytes` bytes, with or without a content length.
    Endless { announced: Option<u64>, bytes: u64 },
}

/// Returns a complete HTTP response.
pub(crate) fn http(status: u16, body: &str) -> Response {
    Response::Raw(
        format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// App with a front door and a care port.
pub(crate) struct FakeApp {
    pub(crate) app: SocketAddr,
    pub(crate) care: SocketAddr,
    script: Arc<Script>,
}

struct Script {
    /// Remaining good responses of `/health` before `bad_health`.
    good_health: AtomicUsize,
    bad_health: Mutex<Response>,
    front_door: Mutex<Response>,
    /// Remaining responses of the front door before it stops responding.
    good_front_door: AtomicUsize,
    /// Bodies of all `POST /heal` requests.
    heals: Mutex<Vec<String>>,
}

impl FakeApp {
    /// Starts an app whose `/health` is good `good` times, then `bad`. Its front door is always good.
    pub(crate) async fn start(good: usize, bad: Response) -> Self {
        let script = Arc::new(Script {
            good_health: AtomicUsize::new(good),
            bad_health: Mutex::new(bad),
            front_door: Mutex::new(http(200, "{\"status\":\"ok\"}")),
            good_front_door: AtomicUsize::new(usize::MAX),
            heals: Mutex::default(),
        });
        let app = listen(Arc::clone(&script)).await;
        let care = listen(Arc::clone(&script)).await;
        Self { app, care, script }
    }

    /// Starts an app that sends `good` good responses, then reports a stalled runtime while its front
    /// door does not respond.
    pub(crate) async fn stalled(good: usize) -> Self {
        let stalled = HEALTHY.replace("\"stalled\":false", "\"stalled\":true");
        let app = Self::start(good, http(200, &stalled)).await;
        app.front_door_stops_after(good);
        app
    }

    /// Sets the response of the front door.
    pub(crate) fn set_front_door(&self, response: Response) {
        *self.script.front_door.lock().unwrap() = response;
    }

    fn front_door_stops_after(&self, good: usize) {
        self.script.good_front_door.store(good, Ordering::SeqCst);
    }

    /// Makes all further responses good.
    pub(crate) fn recover(&self) {
        self.script.good_health.store(usize::MAX, Ordering::SeqCst);
        self.script
            .good_front_door
            .store(usize::MAX, Ordering::SeqCst);
    }

    /// Returns the bodies of all `POST /heal` requests, oldest first.
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
            // A client may disconnect at any time.
            tokio::spawn(async move {
                let _ = serve(stream, &script).await;
            });
        }
    });
    address
}

/// Decrements a counter, and returns `false` if it was 0. `usize::MAX` means unlimited.
fn take_one(counter: &AtomicUsize) -> bool {
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
    let response = if head.starts_with("GET /health ") {
        if take_one(&script.good_health) {
            http(200, HEALTHY)
        } else {
            script.bad_health.lock().unwrap().clone()
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
    } else if take_one(&script.good_front_door) {
        script.front_door.lock().unwrap().clone()
    } else {
        Response::Hang
    };
    respond(stream, response).await
}

async fn respond(mut stream: TcpStream, response: Response) -> std::io::Result<()> {
    match response {
        Response::Raw(bytes) => stream.write_all(&bytes).await,
        Response::Close => Ok(()),
        Response::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        Response::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Response::Endless { announced, bytes } => {
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
