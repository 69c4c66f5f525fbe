//! Figures of real sockets on the loopback interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use healing_core::observation::{PortSockets, ProbeResult};
use healing_sidecar::app_client::Probe;
use healing_sidecar::config::{Flags, Settings, load};
use healing_sidecar::sockets::{SocketReader, Unreadable};

const POLL_INTERVAL: Duration = Duration::from_millis(400);

fn listen(ip: impl Into<IpAddr>) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((ip.into(), 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn local() -> (TcpListener, SocketAddr) {
    listen(Ipv4Addr::LOCALHOST)
}

/// Returns both ends of an accepted connection: the app's and the client's.
fn accepted(listener: &TcpListener, address: SocketAddr) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(address).unwrap();
    let (app, _) = listener.accept().unwrap();
    (app, client)
}

fn reader(port: u16) -> SocketReader {
    SocketReader::new(port, POLL_INTERVAL)
}

async fn read(port: u16) -> PortSockets {
    reader(port).read().await.unwrap()
}

fn settings(app: SocketAddr, probe_timeout: &str) -> Settings {
    let url = format!("http://{app}");
    let flags = Flags::from([
        ("app_url", url.clone()),
        ("care_url", url),
        ("probe_timeout", probe_timeout.to_owned()),
        ("poll_interval", "400ms".to_owned()),
    ]);
    load(&flags, &|_: &str| None).settings
}

#[tokio::test]
async fn idle_listener_has_no_queue() {
    let (_listener, address) = local();
    let expected = PortSockets {
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn full_backlog_is_counted() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(4).unwrap();
    let address = listener.local_addr().unwrap();
    // The kernel admits one connection more than the backlog.
    let _clients: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let expected = PortSockets {
        backlog: 5,
        established: 5,
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn unread_bytes_are_summed_over_accepted_and_waiting_connections() {
    let (listener, address) = local();
    let (_app, mut client) = accepted(&listener, address);
    let (_idle_app, _idle_client) = accepted(&listener, address);
    let mut waiting = TcpStream::connect(address).unwrap();
    client.write_all(&[0; 100]).unwrap();
    waiting.write_all(&[0; 20]).unwrap();
    let expected = PortSockets {
        backlog: 1,
        established: 3,
        unread: 2,
        unread_bytes: 120,
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn bytes_of_gone_clients_are_unread_and_their_end_of_stream_is_not() {
    let (listener, address) = local();
    let (_app, mut sent) = accepted(&listener, address);
    let (_app_of_silent, silent) = accepted(&listener, address);
    sent.write_all(&[0; 30]).unwrap();
    drop((sent, silent));
    let expected = PortSockets {
        unread: 1,
        unread_bytes: 30,
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn ipv6_sockets_are_counted() {
    let (listener, address) = listen(Ipv6Addr::LOCALHOST);
    let (_app, mut client) = accepted(&listener, address);
    client.write_all(&[0; 10]).unwrap();
    let sockets = read(address.port()).await;
    assert_eq!((sockets.unread_bytes, sockets.listening), (10, true));
}

#[tokio::test]
async fn ipv4_clients_of_dual_stack_listener_are_counted() {
    let (listener, address) = listen(Ipv6Addr::UNSPECIFIED);
    let ipv4 = (Ipv4Addr::LOCALHOST, address.port()).into();
    let (_app, mut client) = accepted(&listener, ipv4);
    client.write_all(&[0; 10]).unwrap();
    let sockets = read(address.port()).await;
    assert_eq!((sockets.unread_bytes, sockets.established), (10, 1));
}

#[tokio::test]
async fn connections_of_other_ports_and_in_time_wait_are_ignored() {
    let (listener, address) = local();
    let (other, other_address) = local();
    let _other = accepted(&other, other_address);
    let (app, mut client) = accepted(&listener, address);
    // The side that closes first keeps the connection in TIME_WAIT.
    app.shutdown(Shutdown::Both).unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    drop((app, client));
    let expected = PortSockets {
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn probes_that_the_app_never_accepts_are_left_out() {
    for ip in [
        Ipv6Addr::UNSPECIFIED.into(),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
    ] {
        let (_listener, address) = listen(ip);
        let ipv4 = (Ipv4Addr::LOCALHOST, address.port()).into();
        let _client = TcpStream::connect(ipv4).unwrap();
        for poll in 0..3 {
            // Each poll is one of another doctor, as after a restart.
            let probe = Probe::new(&settings(ipv4, "50ms")).unwrap();
            let results = probe.run().await;
            assert_eq!(results.front_door, ProbeResult::TimedOut);
            let expected = PortSockets {
                backlog: 1,
                established: 1,
                listening: true,
                ..PortSockets::default()
            };
            assert_eq!(results.sockets, Ok(expected), "poll {poll}, {ip}");
        }
    }
}

#[tokio::test]
async fn accepted_probes_that_the_app_never_reads_are_left_out() {
    let (listener, address) = local();
    let probe = Probe::new(&settings(address, "50ms")).unwrap();
    probe.run().await;
    // The care port is the same here.
    let _probes = [listener.accept().unwrap(), listener.accept().unwrap()];
    let expected = PortSockets {
        listening: true,
        ..PortSockets::default()
    };
    assert_eq!(read(address.port()).await, expected);
}

#[tokio::test]
async fn probes_over_ipv6_count_as_clients() {
    let (_listener, address) = listen(Ipv6Addr::LOCALHOST);
    let probe = Probe::new(&settings(address, "50ms")).unwrap();
    let first = probe.run().await.sockets.unwrap();
    assert_eq!(first.backlog, 0, "the sockets are read before the probe");
    assert!(probe.run().await.sockets.unwrap().backlog > 0);
}

#[tokio::test]
async fn bytes_received_between_two_polls_are_counted_whether_read_or_not() {
    let (listener, address) = local();
    let (mut app, mut client) = accepted(&listener, address);
    let reader = reader(address.port());
    client.write_all(&[0; 1000]).unwrap();
    let mut received = Vec::new();
    for bytes in [30, 7, 0] {
        received.push(reader.read().await.unwrap().received_bytes);
        client.write_all(&vec![0; bytes]).unwrap();
        app.read_exact(&mut vec![0; bytes]).unwrap();
    }
    received.push(reader.read().await.unwrap().received_bytes);
    assert_eq!(received, [None, Some(30), Some(7), Some(0)]);
}

#[tokio::test]
async fn queue_that_the_app_works_off_is_not_standing() {
    let (listener, address) = local();
    let reader = reader(address.port());
    let (_app, mut standing) = accepted(&listener, address);
    standing.write_all(&[0; 10]).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    let burst = reader.read().await.unwrap();
    assert_eq!((burst.backlog, burst.unread), (1, 1));
    let _accepted = listener.accept().unwrap();
    let standing = reader.standing(burst).await;
    assert_eq!((standing.backlog, standing.unread), (0, 1));
}

#[tokio::test]
async fn reads_of_a_queue_take_at_most_half_of_the_poll_interval() {
    let (_listener, address) = local();
    let reader = reader(address.port());
    let _client = TcpStream::connect(address).unwrap();
    let first = reader.read().await.unwrap();
    let standing = tokio::time::timeout(POLL_INTERVAL, reader.standing(first)).await;
    assert_eq!(standing, Ok(first));
}

#[tokio::test]
async fn port_without_listener_is_unreadable_unless_connections_are_refused() {
    let (listener, address) = local();
    let reader = reader(address.port());
    let listening = reader.read().await.unwrap();
    drop(listener);
    let closed = reader.read().await.unwrap();
    let verify = |sockets, result: ProbeResult<()>| reader.verify(sockets, &result);
    let answered = ProbeResult::Valid((), Duration::ZERO);
    let unreadable = Err(Unreadable::NoListener(address.port()));
    assert_eq!(verify(closed, ProbeResult::Refused), Ok(closed));
    assert_eq!(verify(closed, ProbeResult::TimedOut), unreadable, "unseen");
    assert_eq!(verify(listening, answered.clone()), Ok(listening));
    assert_eq!(verify(closed, ProbeResult::TimedOut), Ok(closed), "seen");
    assert_eq!(verify(closed, answered), unreadable, "served elsewhere");
    assert_eq!(verify(closed, ProbeResult::TimedOut), unreadable);
}

#[tokio::test]
async fn address_outside_of_loopback_is_not_read() {
    let unroutable = SocketAddr::from(([192, 0, 2, 1], 5000));
    let probe = Probe::new(&settings(unroutable, "10ms")).unwrap();
    assert_eq!(probe.run().await.sockets, Err(Unreadable::NotLoopback));
}
