//! CPU time of a read of the app's sockets. The only test of its process, because it measures the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use healing_sidecar::sockets::SocketReader;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

const CONNECTIONS: usize = 1000;
/// Largest number of connections of which the bytes received are read.
const MAX_RECEIVED: usize = 256;
const READS: u32 = 100;
/// Default interval of the polls.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap()
}

#[tokio::test]
async fn read_beside_thousand_connections_takes_less_than_a_thousandth_of_a_core() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            (
                TcpStream::connect(address).unwrap(),
                listener.accept().unwrap(),
            )
        })
        .collect();
    let reader = SocketReader::new(address.port(), POLL_INTERVAL);
    let measure = async |established: usize, received: Option<u64>| {
        // The number of connections is known from the first read, and their bytes from the second.
        for _ in 0..2 {
            reader.read().await.unwrap();
        }
        let begin = cpu_time();
        for _ in 0..READS {
            let sockets = reader.read().await.unwrap();
            assert_eq!(sockets.established, established as u64);
            assert_eq!(sockets.received_bytes, received);
        }
        let read = (cpu_time() - begin) / READS;
        println!("RESULT socket_read_{established}_ns {}", read.as_nanos());
        assert!(read < POLL_INTERVAL / 1000, "{read:?} per read");
    };
    measure(CONNECTIONS, None).await;
    connections.truncate(MAX_RECEIVED);
    measure(MAX_RECEIVED, Some(0)).await;
}
