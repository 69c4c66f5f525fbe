//! The service as a process, with real ports, a soft heal on the care port, and shutdown by SIGTERM.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Process that is killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns two free ports below the range of outgoing connections.
fn free_ports() -> [u16; 2] {
    let first = 10_000 + u16::try_from(std::process::id() % 4_000).unwrap();
    let mut free =
        (first..15_000).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    [free.next().unwrap(), free.next().unwrap()]
}

fn send(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: localhost\r\nX-Healing: 1\r\n"
    )?;
    write!(stream, "Content-Length: 0\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}

fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn process_serves_heals_softly_and_exits_on_sigterm() {
    let [app, care] = free_ports();
    let child = Command::new(env!("CARGO_BIN_EXE_minimal"))
        .env("PORT", app.to_string())
        .env("HEALING_CARE_BIND", format!("127.0.0.1:{care}"))
        .spawn()
        .unwrap();
    let mut process = Process(child);
    until(|| send(care, "GET /readyz").is_ok_and(|response| response.starts_with("HTTP/1.1 200")));
    assert!(send(app, "GET /").unwrap().ends_with("hello"));
    let healed = send(care, "POST /heal").unwrap();
    assert!(
        healed.starts_with("HTTP/1.1 200") && healed.contains("\"cache\""),
        "{healed}"
    );

    let pid = process.0.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let mut status = None;
    until(|| {
        status = process.0.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success(), "{status:?}");
}
