//! Sockets of the app's port, as the doctor reads them: several times within a second, of which the smallest
//! figures count.
//!
//! A real doctor reads after the beginning of a poll, this one before it, so that the reads do not delay a poll.
//! The pauses are random, because reads in step with the periods of a quota would see a queue each time.

use super::patient::Patient;
use super::streams::Stream;
use crate::episode::spec::Life;
use healing_core::observation::PortSockets;
use healing_core::rng::Rng;

/// Time over which the reads of one poll are spread, in seconds.
const SPAN: f64 = 1.0;
/// Mean pause between two reads in seconds.
const PAUSE: f64 = 0.1;
/// Size of a request in bytes: a request line with some headers.
const REQUEST_BYTES: u64 = 300;

/// Reader of the sockets.
#[derive(Debug)]
pub(super) struct SocketReader {
    /// Stream of the pauses.
    pauses: Rng,
    is_permitted: bool,
    /// Time of the next read before a poll; infinite without one.
    next: f64,
    /// Reads before the next poll, oldest first.
    reads: Vec<PortSockets>,
    /// Figures of the current poll; `None` if the sockets cannot be read.
    pub(super) standing: Option<PortSockets>,
}

// === impl SocketReader ===

impl SocketReader {
    /// Returns the reader before its first read.
    pub(super) fn new(life: &Life) -> Self {
        Self {
            pauses: Stream::Sockets.rng(life.seed),
            is_permitted: life.visible.sockets,
            next: f64::INFINITY,
            reads: Vec::new(),
            standing: None,
        }
    }

    /// Schedules the reads before a poll.
    pub(super) fn schedule(&mut self, poll_at: f64) {
        if self.is_permitted {
            self.next = poll_at - SPAN + PAUSE * self.pauses.unit();
        }
    }

    /// Returns `true` if a read is due before this time.
    pub(super) fn is_due(&self, before: f64) -> bool {
        self.next < before
    }

    /// Adds the read that is due.
    pub(super) fn read(&mut self, sockets: PortSockets) {
        self.reads.push(sockets);
        self.next += PAUSE * self.pauses.between(0.5, 1.5);
    }

    /// Begins a poll with a read. While there is a queue, the earlier reads count too.
    pub(super) fn poll(&mut self, sockets: PortSockets) {
        self.next = f64::INFINITY;
        let mut standing = sockets;
        for earlier in self.reads.drain(..).rev() {
            if standing.backlog == 0 && standing.unread == 0 {
                break;
            }
            standing.backlog = standing.backlog.min(earlier.backlog);
            standing.established = standing.established.min(earlier.established);
            standing.unread = standing.unread.min(earlier.unread);
            standing.unread_bytes = standing.unread_bytes.min(earlier.unread_bytes);
        }
        self.standing = self.is_permitted.then_some(standing);
    }
}

/// Returns the sockets at the moment, without those of probes.
pub(super) fn sockets(patient: &Patient<'_>) -> PortSockets {
    let pipeline = &patient.app.pipeline;
    let listening = !patient.app.is_refusing(&patient.faults.active);
    let in_backlog = pipeline.tasks.clients_in_backlog() as u64;
    // The kernel resets the connections in the backlog when the listener is closed.
    let (backlog, reset) = if listening {
        (in_backlog, 0)
    } else {
        (0, in_backlog)
    };
    let unread = u64::from(pipeline.unread).saturating_sub(reset);
    let in_use = pipeline.requests.connected();
    let with_request = in_use.saturating_sub(pipeline.dropped);
    PortSockets {
        backlog,
        established: u64::from(with_request + patient.connections.idle(in_use)),
        unread,
        unread_bytes: unread * REQUEST_BYTES,
        listening,
        ..PortSockets::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(length: u64) -> PortSockets {
        PortSockets {
            backlog: length,
            established: length + 1,
            unread: length,
            unread_bytes: length * REQUEST_BYTES,
            listening: true,
            ..PortSockets::default()
        }
    }

    /// Returns the figures of a poll after reads of queues of these lengths, the last by the poll.
    fn standing(lengths: &[u64]) -> PortSockets {
        let mut reader = SocketReader::new(&Life::new(1));
        let (last, earlier) = lengths.split_last().unwrap();
        for length in earlier {
            reader.read(queue(*length));
        }
        reader.poll(queue(*last));
        reader.standing.unwrap()
    }

    #[test]
    fn smallest_queue_is_standing() {
        assert_eq!(standing(&[7, 3, 9]), queue(3));
        assert_eq!(standing(&[7, 0, 9]), queue(0));
    }

    #[test]
    fn reads_are_spread_over_the_second_before_a_poll() {
        let mut reader = SocketReader::new(&Life::new(1));
        for poll_at in [5.0, 10.0] {
            assert!(!reader.is_due(f64::MAX));
            reader.schedule(poll_at);
            assert!(!reader.is_due(poll_at - SPAN));
            while reader.is_due(poll_at) {
                reader.read(queue(1));
            }
            assert!((7..=20).contains(&reader.reads.len()));
            reader.poll(queue(2));
        }
        assert_eq!(reader.standing, Some(queue(1)));
    }

    #[test]
    fn read_without_a_queue_is_not_repeated() {
        let idle = PortSockets {
            established: 1,
            listening: true,
            ..PortSockets::default()
        };
        let mut reader = SocketReader::new(&Life::new(1));
        reader.read(PortSockets::default());
        reader.poll(idle);
        assert_eq!(reader.standing, Some(idle));
    }

    #[test]
    fn sockets_of_another_namespace_are_absent() {
        let mut life = Life::new(1);
        life.visible.sockets = false;
        let mut reader = SocketReader::new(&life);
        reader.schedule(5.0);
        assert!(!reader.is_due(f64::MAX));
        reader.poll(queue(3));
        assert_eq!(reader.standing, None);
    }
}
