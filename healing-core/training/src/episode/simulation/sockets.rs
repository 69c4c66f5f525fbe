//! Sockets of the app's port, as the doctor reads them: several times within a second, of which the smallest
//! figures count.
//!
//! A real doctor reads after the beginning of a poll, this one before it, so that the reads do not delay a poll.
//! The pauses are random, because reads in step with the periods of a quota would see a queue each time.

use std::collections::VecDeque;

use super::patient::Patient;
use super::streams::Stream;
use crate::episode::spec::Life;
use healing_core::observation::PortSockets;
use healing_core::rng::Rng;

/// Mean pause between two reads in seconds.
const PAUSE: f64 = 0.1;
/// Number of reads before that of the poll.
const EARLIER_READS: usize = 9;
/// Time over which the reads of one poll are spread, in seconds.
const SPAN: f64 = 1.0;
/// Size of a request in bytes: a request line with some headers.
const REQUEST_BYTES: u64 = 300;

/// Reader of the sockets.
#[derive(Debug)]
pub(super) struct SocketReader {
    /// Stream of the pauses.
    pauses: Rng,
    /// Time of the next read; infinite if the sockets cannot be read.
    next: f64,
    /// Last reads with their times, oldest first.
    reads: VecDeque<(f64, PortSockets)>,
    /// Figures of the current poll; `None` if the sockets cannot be read.
    pub(super) standing: Option<PortSockets>,
}

// === impl SocketReader ===

impl SocketReader {
    /// Returns the reader before its first read.
    pub(super) fn new(life: &Life) -> Self {
        Self {
            pauses: Stream::Sockets.rng(life.seed),
            next: if life.visible.sockets {
                0.0
            } else {
                f64::INFINITY
            },
            reads: VecDeque::with_capacity(EARLIER_READS),
            standing: None,
        }
    }

    /// Returns `true` if a read is due before this time.
    pub(super) fn is_due(&self, before: f64) -> bool {
        self.next < before
    }

    /// Adds the read that is due.
    pub(super) fn read(&mut self, sockets: PortSockets) {
        if self.reads.len() >= EARLIER_READS {
            self.reads.pop_front();
        }
        self.reads.push_back((self.next, sockets));
        self.next += PAUSE * self.pauses.between(0.5, 1.5);
    }

    /// Begins a poll with a read. While there is a queue, the earlier reads count too.
    pub(super) fn poll(&mut self, now: f64, sockets: PortSockets) {
        if self.next.is_infinite() {
            return;
        }
        let mut standing = sockets;
        for (at, earlier) in self.reads.iter().rev() {
            let is_idle = standing.backlog == 0 && standing.unread == 0;
            if is_idle || now - at > SPAN {
                break;
            }
            standing.backlog = standing.backlog.min(earlier.backlog);
            standing.established = standing.established.min(earlier.established);
            standing.unread = standing.unread.min(earlier.unread);
            standing.unread_bytes = standing.unread_bytes.min(earlier.unread_bytes);
        }
        self.standing = Some(standing);
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
        }
    }

    /// Returns the figures of a poll just after reads of queues of these lengths, the last by the poll.
    fn standing(lengths: &[u64]) -> PortSockets {
        let mut reader = SocketReader::new(&Life::new(1));
        let (last, earlier) = lengths.split_last().unwrap();
        for length in earlier {
            reader.read(queue(*length));
        }
        reader.poll(reader.next, queue(*last));
        reader.standing.unwrap()
    }

    #[test]
    fn smallest_queue_of_a_second_is_standing() {
        assert_eq!(standing(&[7, 3, 9]), queue(3));
        assert_eq!(standing(&[1, 0, 9]), queue(0));
        let mut lengths = vec![5; 30];
        lengths[0] = 1; // more than a second before
        assert_eq!(standing(&lengths), queue(5));
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
        reader.poll(reader.next, idle);
        assert_eq!(reader.standing, Some(idle));
    }

    #[test]
    fn sockets_of_another_namespace_are_absent() {
        let mut life = Life::new(1);
        life.visible.sockets = false;
        let mut reader = SocketReader::new(&life);
        assert!(!reader.is_due(1e9));
        reader.poll(5.0, queue(3));
        assert_eq!(reader.standing, None);
    }
}
