//! Load test with 50,000 requests over 16 connections, a third of them disconnected at a random time. The
//! handlers count independently, and the meter's counts must be equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use healing_tower::{HealingLayer, Meter, MeterOptions};
use http::StatusCode;
use http_body::Frame;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REQUESTS: u64 = 50_000;
const CONNECTIONS: u64 = 16;
const PATHS: [&str; 6] = ["/ok", "/slow", "/error", "/panic", "/stream", "/fails"];

/// Requests by class, as the handlers count them.
#[derive(Debug, Default)]
struct HandlerCounts {
    started: AtomicU64,
    ok: AtomicU64,
    error: AtomicU64,
    panic: AtomicU64,
    cancelled: AtomicU64,
    body_error: AtomicU64,
}

/// Guard of one request in a handler and its body, which counts the outcome class of the request.
struct CountGuard {
    counts: Arc<HandlerCounts>,
    counted: bool,
}

impl CountGuard {
    fn new(counts: &Arc<HandlerCounts>) -> Self {
        counts.started.fetch_add(1, SeqCst);
        Self {
            counts: counts.clone(),
            counted: false,
        }
    }

    fn count(&mut self, class: impl Fn(&HandlerCounts) -> &AtomicU64) {
        assert!(!self.counted);
        self.counted = true;
        class(&self.counts).fetch_add(1, SeqCst);
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.count(|counts| &counts.panic);
        } else if !self.counted {
            self.count(|counts| &counts.cancelled);
        }
    }
}

/// Body of two chunks with a wait between them, after which it is complete or fails.
struct Chunks {
    guard: CountGuard,
    remaining: u32,
    fails: bool,
    wait: Pin<Box<tokio::time::Sleep>>,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        std::task::ready!(self.wait.as_mut().poll(cx));
        if self.remaining > 0 {
            self.remaining -= 1;
            let wait = Duration::from_micros(300 * u64::from(self.remaining));
            self.wait.set(tokio::time::sleep(wait));
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"chunk")))));
        }
        Poll::Ready(if self.fails {
            self.guard.count(|counts| &counts.body_error);
            Some(Err(std::io::Error::other("failed midway")))
        } else {
            self.guard.count(|counts| &counts.ok);
            None
        })
    }
}

fn app(counts: &Arc<HandlerCounts>) -> Router {
    let quick = |status: StatusCode, wait: u64| {
        let counts = counts.clone();
        get(move || async move {
            let mut guard = CountGuard::new(&counts);
            if wait > 0 {
                tokio::time::sleep(Duration::from_micros(wait)).await;
            }
            guard.count(|counts| {
                if status.is_success() {
                    &counts.ok
                } else {
                    &counts.error
                }
            });
            (status, "response")
        })
    };
    let panics = counts.clone();
    let chunks = |fails: bool| {
        let counts = counts.clone();
        get(move || async move {
            let wait = Box::pin(tokio::time::sleep(Duration::ZERO));
            Body::new(Chunks {
                guard: CountGuard::new(&counts),
                remaining: 2,
                fails,
                wait,
            })
        })
    };
    Router::new()
        .route("/ok", quick(StatusCode::OK, 0))
        .route("/slow", quick(StatusCode::OK, 500))
        .route("/error", quick(StatusCode::SERVICE_UNAVAILABLE, 100))
        .route(
            "/panic",
            get(|| async move {
                let _guard = CountGuard::new(&panics);
                tokio::task::yield_now().await;
                if true {
                    panic!("as planned")
                }
            }),
        )
        .route("/stream", chunks(false))
        .route("/fails", chunks(true))
}

/// SplitMix64 generator, for the same disconnects in every run.
///
/// It is not the generator of `healing-core`, because this crate does not depend on the policy.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Makes requests one after the other; returns the number of complete responses with status 200.
async fn client(address: SocketAddr, seed: u64) -> u64 {
    let mut random = Random(seed);
    let mut connection = None;
    let mut complete = 0;
    for _ in 0..REQUESTS / CONNECTIONS {
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => TcpStream::connect(address).await.unwrap(),
        };
        let path = PATHS[usize::try_from(random.below(6)).unwrap()];
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_err() {
            continue;
        }
        if random.below(3) == 0 {
            // Disconnects at once, after a delay, or after the first bytes.
            match random.below(3) {
                0 => {}
                1 => tokio::time::sleep(Duration::from_micros(random.below(1500))).await,
                _ => drop(stream.read(&mut [0; 64]).await),
            }
            continue;
        }
        match read_response(&mut stream).await {
            Some(status) => {
                complete += u64::from(status);
                connection = Some(stream);
            }
            None => continue, // the server closed the connection midway
        }
    }
    complete
}

/// Reads one response and returns `true` if its status is 200; `None` if the connection is closed midway.
async fn read_response(stream: &mut TcpStream) -> Option<bool> {
    let mut got = Vec::new();
    loop {
        let text = std::str::from_utf8(&got).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let done = match length {
                Some(length) => body.len() == length.parse::<usize>().unwrap(),
                None => body.ends_with("0\r\n\r\n"),
            };
            if done {
                return Some(head.starts_with("http/1.1 200"));
            }
        }
        match stream.read_buf(&mut got).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meter_matches_handler_counts_under_load() {
    // Keeps thousands of planned panics out of the log.
    std::panic::set_hook(Box::new(|info| {
        let planned = info.payload().downcast_ref::<&str>() == Some(&"as planned");
        if !planned {
            eprintln!("{info}");
        }
    }));
    let handlers = Arc::new(HandlerCounts::default());
    let meter = Meter::new(MeterOptions::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&handlers).layer(HealingLayer::new(meter).for_axum());
    // Without `TCP_NODELAY`, each second chunk waits 40 ms for the client's delayed acknowledgement.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|seed| tokio::spawn(client(address, seed)))
        .collect();
    let mut complete = 0;
    for client in clients {
        complete += client.await.unwrap();
    }
    let counted = || {
        let totals = meter.totals();
        let requests = totals.requests_total.unwrap();
        let (panics, body) = (
            totals.panics_total.unwrap(),
            totals.body_errors_total.unwrap(),
        );
        let (errors, cancelled) = (
            totals.errors_total.unwrap(),
            totals.cancelled_total.unwrap(),
        );
        let ok = requests - errors - cancelled;
        [
            requests,
            ok,
            errors - panics - body,
            panics,
            cancelled,
            body,
        ]
    };
    let expected = || {
        let HandlerCounts {
            started,
            ok,
            error,
            panic,
            cancelled,
            body_error,
        } = &*handlers;
        [started, ok, error, panic, cancelled, body_error].map(|count| count.load(SeqCst))
    };
    // The server may still be reading the last requests and detecting the last disconnects.
    for _ in 0..2000 {
        if meter.in_flight() == 0 && counted() == expected() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (counted, expected) = (counted(), expected());
    let ok = counted[1];
    assert_eq!(
        counted, expected,
        "requests, ok, error, panic, cancelled, body error"
    );
    assert_eq!((meter.in_flight(), meter.waiting()), (0, 0));
    let totals = meter.totals();
    assert_eq!(
        totals.answered_total.unwrap() + totals.cancelled_before_head_total.unwrap(),
        totals.requests_total.unwrap(),
        "each request was answered, or cancelled before its head"
    );
    assert!(totals.answered_errors_total <= totals.errors_total);
    assert!(totals.cancelled_before_head_total <= totals.cancelled_total);
    assert!(
        complete <= ok,
        "{complete} complete at the clients, {ok} ok"
    );
    // The load is as intended only if no class is rare.
    assert!(
        expected[0] > REQUESTS * 8 / 10 && expected[0] <= REQUESTS,
        "{expected:?}"
    );
    assert!(
        expected.iter().all(|&count| count > REQUESTS / 100),
        "{expected:?}"
    );
}
