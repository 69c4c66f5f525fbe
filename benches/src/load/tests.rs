//! Tests of the generator against servers that stall, refuse, reset and fail.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Behaviour of a test server towards each connection.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    Status(u16),
    Reset,
    Stall,
    /// Sends no response until this moment.
    StalledUntil(Instant),
}

async fn server(behaviour: Behaviour) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    match behaviour {
                        Behaviour::Reset => return,
                        Behaviour::Stall => std::future::pending().await,
                        Behaviour::StalledUntil(until) => {
                            tokio::time::sleep_until(until.into()).await;
                            respond(&mut stream, 200).await;
                        }
                        Behaviour::Status(status) => respond(&mut stream, status).await,
                    }
                }
            });
        }
    });
    port
}

async fn respond(stream: &mut tokio::net::TcpStream, status: u16) {
    let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: 2\r\n\r\nok");
    let _ = stream.write_all(head.as_bytes()).await;
}

fn spec(port: u16, transport: Transport, timeout_ms: u64) -> LoadSpec {
    LoadSpec {
        port,
        client: Client {
            transport,
            timeout: Duration::from_millis(timeout_ms),
        },
        paths: vec!["/".to_owned()],
    }
}

const ALL: std::ops::Range<Duration> = Duration::ZERO..Duration::MAX;
const SECOND: Duration = Duration::from_secs(1);

async fn counts(port: u16, transport: Transport) -> Counts {
    let mut load = Load::start(
        spec(port, transport, 400),
        vec![Segment::open(20.0, SECOND)],
    );
    load.finish().await;
    load.recorder().counts(&ALL)
}

#[tokio::test]
async fn outcomes_are_counted_by_cause() {
    let refused = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let twenty = |make: fn(&mut Counts) -> &mut u64| {
        let mut counts = Counts::default();
        *make(&mut counts) = 20;
        counts
    };
    for transport in [Transport::NewConnection, Transport::KeepAlive] {
        let of = |behaviour| async move { counts(server(behaviour).await, transport).await };
        assert_eq!(of(Behaviour::Status(200)).await, twenty(|c| &mut c.ok));
        let failed = of(Behaviour::Status(500)).await;
        assert_eq!(failed, twenty(|c| &mut c.server_error));
        assert_eq!(of(Behaviour::Reset).await, twenty(|c| &mut c.reset));
        assert_eq!(of(Behaviour::Stall).await, twenty(|c| &mut c.timed_out));
        let none = counts(refused, transport).await;
        assert_eq!(none, twenty(|c| &mut c.refused));
    }
    let none = counts(refused, Transport::Http2).await;
    assert_eq!(none, twenty(|c| &mut c.refused));
}

#[tokio::test]
async fn open_loop_latency_contains_stall_of_server() {
    // For one second the server sends no response. A generator that waited for each response would send one
    // request in this second and report one slow request of a hundred.
    let port = server(Behaviour::StalledUntil(Instant::now() + SECOND)).await;
    let mut load = Load::start(
        spec(port, Transport::NewConnection, 5000),
        vec![Segment::open(50.0, 2 * SECOND)],
    );
    load.finish().await;
    let recorder = load.recorder();
    assert_eq!(recorder.counts(&ALL).ok, 100);
    let median_stalled = recorder.latency(0.5, &(Duration::ZERO..SECOND)).unwrap();
    assert!(
        median_stalled >= Duration::from_millis(350),
        "{median_stalled:?}"
    );
    let p90 = recorder.latency(0.9, &ALL).unwrap();
    assert!(p90 >= Duration::from_millis(600), "{p90:?}");
}

#[tokio::test]
async fn pool_limit_counts_as_latency_of_waiting_requests() {
    // There are more requests than connections in the pool, so those that wait for a connection wait for
    // the server.
    let port = server(Behaviour::StalledUntil(Instant::now() + SECOND)).await;
    let mut load = Load::start(
        spec(port, Transport::KeepAlive, 5000),
        vec![Segment::open(160.0, SECOND)],
    );
    load.finish().await;
    let late = load
        .recorder()
        .latency(
            0.5,
            &(Duration::from_millis(450)..Duration::from_millis(550)),
        )
        .unwrap();
    assert!(late >= Duration::from_millis(350), "{late:?}");
}

#[tokio::test]
async fn closed_loop_sends_only_after_previous_response() {
    let port = server(Behaviour::Status(200)).await;
    let mut load = Load::start(
        spec(port, Transport::KeepAlive, 1000),
        vec![Segment::closed(4, SECOND)],
    );
    load.finish().await;
    let counts = load.recorder().counts(&ALL);
    assert!(
        counts.ok > 100 && counts.ok <= 2004 && counts.failed() == 0,
        "{counts:?}"
    );
    let port = server(Behaviour::Stall).await;
    let mut load = Load::start(
        spec(port, Transport::KeepAlive, 600),
        vec![Segment::closed(4, SECOND)],
    );
    load.finish().await;
    assert_eq!(load.recorder().counts(&ALL).total(), 8);
}
