//! Standing queue: the smallest figures of several reads within a second.
//!
//! A burst that the app works off is no queue. Reads in step with a periodic burst would see it each time,
//! so their intervals are random.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use healing_core::observation::{InvalidAnswer, PortSockets, ProbeResult};
use rustix::io::Errno;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::netlink;
use super::received::{Counters, Received};
use super::unreadable::Unreadable;

/// Number of reads while there is a queue.
const READS: u32 = 10;
/// Longest time over which the reads are spread.
const MAX_SPAN: Duration = Duration::from_secs(1);
/// Time limit of a first read. It takes milliseconds unless the machine is starved.
const FIRST_READ_LIMIT: Duration = Duration::from_secs(1);

/// Reader of the sockets of the app's port. Clones share their memory.
#[derive(Debug, Clone)]
pub struct SocketReader {
    port: u16,
    span: Duration,
    /// Set once a socket has listened on the port, which proves that the network namespace is the app's.
    listener_seen: Arc<AtomicBool>,
    received: Arc<Mutex<Received>>,
}

impl SocketReader {
    /// Creates a reader. The reads of a queue take at most half of the time between two polls, so that they
    /// do not delay the next one.
    #[must_use]
    pub fn new(port: u16, poll_interval: Duration) -> Self {
        Self {
            port,
            span: MAX_SPAN.min(poll_interval / 2),
            listener_seen: Arc::default(),
            received: Arc::default(),
        }
    }

    /// Reads the sockets once, at the start of a poll.
    ///
    /// # Errors
    ///
    /// Returns [`Unreadable`] if the kernel does not permit it.
    pub async fn read(&self) -> Result<PortSockets, Unreadable> {
        let end = Instant::now() + FIRST_READ_LIMIT;
        let counters = self.received().counters();
        let read = self.read_until(end, counters).await;
        let mut received = self.received();
        let (sockets, counters) = read.inspect_err(|_| received.forget())?;
        Ok(PortSockets {
            received_bytes: received.advance(counters, sockets.established),
            ..sockets
        })
    }

    /// Repeats a read while there is a queue, and returns the smallest of each figure.
    pub async fn standing(&self, first: PortSockets) -> PortSockets {
        let end = Instant::now() + self.span;
        let mut standing = first;
        let mut took = Duration::ZERO;
        for _ in 1..READS {
            if standing.backlog == 0 && standing.unread == 0 {
                break;
            }
            // Reads are slow on a node with very many sockets, and must not occupy its CPU.
            let pause = jittered(self.span / READS).max(took * READS);
            let begin = Instant::now() + pause;
            if begin >= end {
                break;
            }
            sleep_until(begin).await;
            // The figures until now are valid even if a later read fails.
            let Ok((next, _)) = self.read_until(end, None).await else {
                break;
            };
            took = begin.elapsed();
            standing = smallest(standing, next);
        }
        standing
    }

    /// Returns the figures if they are those of the app, given the result of the front door's probe.
    ///
    /// # Errors
    ///
    /// Returns [`Unreadable::NoListener`] if the app listens in another network namespace, or may do so.
    pub fn verify(
        &self,
        sockets: PortSockets,
        front_door: &ProbeResult<()>,
    ) -> Result<PortSockets, Unreadable> {
        let in_namespace = match front_door {
            _ if sockets.listening => {
                self.listener_seen.store(true, Ordering::Relaxed);
                true
            }
            // Nothing listens, as the sockets say.
            ProbeResult::Refused => true,
            ProbeResult::Valid(..) | ProbeResult::Invalid(InvalidAnswer::Status(_)) => {
                self.listener_seen.store(false, Ordering::Relaxed);
                false
            }
            _ => self.listener_seen.load(Ordering::Relaxed),
        };
        if in_namespace {
            return Ok(sockets);
        }
        Err(Unreadable::NoListener(self.port))
    }

    /// Reads on another thread, because a dump of many sockets takes milliseconds.
    async fn read_until(
        &self,
        end: Instant,
        counters: Option<Counters>,
    ) -> Result<(PortSockets, Option<Counters>), Unreadable> {
        let port = self.port;
        let read = tokio::task::spawn_blocking(move || netlink::read(port, counters));
        match timeout_at(end, read).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_panicked)) => Err(Unreadable::Failed(Errno::CANCELED)),
            Err(_elapsed) => Err(Unreadable::Failed(Errno::TIMEDOUT)),
        }
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the smallest of each figure, with the bytes received of the poll's first read `a`.
fn smallest(a: PortSockets, b: PortSockets) -> PortSockets {
    PortSockets {
        backlog: a.backlog.min(b.backlog),
        established: a.established.min(b.established),
        unread: a.unread.min(b.unread),
        unread_bytes: a.unread_bytes.min(b.unread_bytes),
        listening: b.listening,
        received_bytes: a.received_bytes,
    }
}

/// Returns a random time between half of `mean` and 1.5 times `mean`.
fn jittered(mean: Duration) -> Duration {
    let [random, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    mean / 2 + mean * u32::from(random) / u32::from(u8::MAX)
}
