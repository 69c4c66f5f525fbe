//! Tests of protocol upgrades through `serve`, as WebSocket makes them over HTTP/1.1 and HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode, header};
use axum::routing::{any, get};
use healing_tower::Healing;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::http::{self, heal, wait_until};

/// Echoes what it receives after the upgrade.
async fn echo(request: Request) -> Response<Body> {
    let response = match *request.method() {
        Method::CONNECT => Response::builder(),
        _ => Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "echo"),
    };
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        tokio::io::copy(&mut read, &mut write).await
    });
    response.body(Body::empty()).unwrap()
}

struct Served {
    healing: Healing,
    addr: SocketAddr,
    care: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn start(name: &str) -> Self {
        let healing = Healing::builder(name)
            .care_bind("127.0.0.1:0".parse().unwrap())
            .leave_sigterm()
            .lame_duck(Duration::ZERO)
            .build();
        let app = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/echo", any(echo));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let served = healing.clone();
        let server = tokio::spawn(async move { served.serve(listener, app).await });
        let care = wait_until("the server is up", || async { healing.care_addr() }).await;
        Self {
            healing,
            addr,
            care,
            server,
        }
    }

    async fn shut_down(self) {
        self.healing.request_shutdown();
        self.server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn upgrade_succeeds_while_instance_drains() {
    let served = Served::start("upgrades").await;
    assert_eq!(heal(served.care, "drain").await.status, 200);
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream
        .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert_eq!(head.matches("\r\nconnection:").count(), 1, "{head}");
    stream.write_all(b"hello").await.unwrap();
    let mut echoed = [0; 5];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello");

    let other = http::send_raw(served.addr, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let other = other.unwrap();
    assert_eq!((other.status, other.body.as_str()), (200, "hello"));
    assert!(
        other.head.to_lowercase().contains("connection: close"),
        "other connections are still closed: {other:?}"
    );
    drop(stream);
    served.shut_down().await;
}

#[tokio::test]
async fn extended_connect_succeeds_over_http2() {
    let served = Served::start("connects").await;
    let stream = TcpStream::connect(served.addr).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, String>(TokioExecutor::new(), io)
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let addr = served.addr;
    let request = |method| Request::builder().method(method);
    // The server's HTTP/2 settings arrive before its first response.
    let first = request(Method::GET).uri(format!("http://{addr}/"));
    let first = first.body(String::new()).unwrap();
    assert_eq!(sender.send_request(first).await.unwrap().status(), 200);

    let connect = request(Method::CONNECT)
        .uri(format!("http://{addr}/echo"))
        .extension(hyper::ext::Protocol::from_static("websocket"));
    let connect = connect.body(String::new()).unwrap();
    let response = sender.send_request(connect).await.unwrap();
    assert_eq!(response.status(), 200);
    let upgraded = hyper::upgrade::on(response).await.unwrap();
    let mut upgraded = TokioIo::new(upgraded);
    upgraded.write_all(b"hello").await.unwrap();
    let mut echoed = [0; 5];
    upgraded.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello");

    drop((upgraded, sender));
    connection.await.unwrap().unwrap();
    served.shut_down().await;
}
