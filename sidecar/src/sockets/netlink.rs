//! One read of the sockets of a port by `NETLINK_SOCK_DIAG`.
//!
//! The kernel filters by port and state, so that sockets of other ports and in `TIME_WAIT` are neither
//! copied nor parsed. `/proc/net/tcp` would list all of them. Format: `sock_diag(7)`.

use std::os::fd::OwnedFd;
use std::time::Duration;

use healing_core::observation::PortSockets;
use netlink_packet_core::{
    Emitable, ErrorBuffer, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage,
    NlasIterator, Parseable,
};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags,
};
use netlink_packet_sock_diag::{AF_INET, AF_INET6, IPPROTO_TCP, SockDiagMessage};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::received::Counters;
use super::tally::Tally;

/// Maximum number of sockets per read, so that a read takes milliseconds. Of more sockets only so many are
/// counted, and the figures are lower bounds.
const MAX_SOCKETS: usize = 16_384;
/// Size of the largest datagram that the kernel sends, in bytes.
const BUFFER_BYTES: usize = 32 * 1024;
/// Time limit of one receive. The kernel responds within the call, so only a lost response takes so long.
const RECEIVE_LIMIT: Duration = Duration::from_millis(500);
/// Attribute with the kernel's `struct tcp_info`, and the place in it of `tcpi_bytes_received`, a `u64`.
/// Format: `linux/tcp.h`, the same on all architectures; Linux before 4.1 ends before it.
const INET_DIAG_INFO: u16 = 2;
const BYTES_RECEIVED: std::ops::Range<usize> = 128..136;
/// Message types of the netlink protocol.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// Returns the sums over the sockets of a port, and the bytes that each connection received, if there are
/// `counters` to which they can be added.
///
/// Listening sockets have a small table of their own. Connections of all ports and network namespaces share
/// a large one, whose walk is most of the cost, so it is walked only for the families that the app uses.
///
/// # Errors
///
/// Returns the error of the system call, or of the kernel's response.
pub(super) fn read(
    port: u16,
    counters: Option<Counters>,
) -> Result<(PortSockets, Option<Counters>), Errno> {
    let mut tally = Tally::new(MAX_SOCKETS, counters);
    let mut diagnosis = Diagnosis::open(port)?;
    let mut families = Vec::new();
    // A socket that accepts both families, and its connections, are IPv6 sockets.
    for family in [AF_INET, AF_INET6] {
        if diagnosis.dump(family, StateFlags::LISTEN, &mut tally)? > 0 {
            families.push(family);
        }
    }
    if families.is_empty() {
        // Connections outlive their listening socket.
        families.extend([AF_INET, AF_INET6]);
    }
    let connected = StateFlags::ESTABLISHED | StateFlags::CLOSE_WAIT;
    for family in families {
        diagnosis.dump(family, connected.clone(), &mut tally)?;
    }
    Ok(tally.finish())
}

/// Netlink socket for the sockets of one port. It is closed after a read, which ends a dump that is cut off.
struct Diagnosis {
    socket: OwnedFd,
    port: u16,
    buffer: Vec<u8>,
}

impl Diagnosis {
    fn open(port: u16) -> Result<Self, Errno> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        )?;
        set_socket_timeout(&socket, Timeout::Recv, Some(RECEIVE_LIMIT))?;
        Ok(Self {
            socket,
            port,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Adds the sockets of a family in these states, until the tally is full. Returns their number.
    fn dump(&mut self, family: u8, states: StateFlags, tally: &mut Tally) -> Result<usize, Errno> {
        if tally.is_full() {
            return Ok(0);
        }
        let before = tally.remaining();
        let extensions = if tally.counts_received() {
            ExtensionFlags::INFO
        } else {
            ExtensionFlags::empty()
        };
        self.request(family, states, extensions)?;
        while !tally.is_full() {
            let (length, _) = recv(&self.socket, &mut self.buffer, RecvFlags::empty())?;
            let datagram = self.buffer.get(..length).unwrap_or_default();
            if add_all(datagram, tally)? == Progress::Done {
                break;
            }
        }
        Ok(before - tally.remaining())
    }

    fn request(
        &self,
        family: u8,
        states: StateFlags,
        extensions: ExtensionFlags,
    ) -> Result<(), Errno> {
        let id = if family == AF_INET {
            SocketId::new_v4()
        } else {
            SocketId::new_v6()
        };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let request = InetRequest {
            family,
            protocol: IPPROTO_TCP,
            extensions,
            states,
            socket_id: SocketId {
                source_port: self.port,
                ..id
            },
        };
        let request = SockDiagMessage::InetRequest(request);
        let mut message = NetlinkMessage::new(header, request.into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        send(&self.socket, &bytes, SendFlags::empty())?;
        Ok(())
    }
}

/// Position in the kernel's response.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Done,
    More,
}

/// Adds the sockets of one datagram, which has several messages.
fn add_all(mut datagram: &[u8], tally: &mut Tally) -> Result<Progress, Errno> {
    while !datagram.is_empty() {
        let message = NetlinkBuffer::new_checked(datagram).map_err(|_| Errno::BADMSG)?;
        match message.message_type() {
            NLMSG_DONE => return Ok(Progress::Done),
            NLMSG_ERROR => return Err(error(message.payload())),
            _ => {
                let payload = message.payload();
                let socket = InetResponseHeader::parse(payload).map_err(|_| Errno::BADMSG)?;
                let attributes = payload.get(socket.buffer_len()..).unwrap_or_default();
                tally.add(&socket, bytes_received(attributes));
            }
        }
        let length = usize::try_from(message.length()).map_err(|_| Errno::BADMSG)?;
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(Progress::More)
}

/// Returns the bytes that a connection received, if these attributes of it have them.
fn bytes_received(attributes: &[u8]) -> Option<u64> {
    let info = NlasIterator::new(attributes)
        .filter_map(Result::ok)
        .find(|attribute| attribute.kind() == INET_DIAG_INFO)?;
    let bytes = info.value().get(BYTES_RECEIVED)?;
    bytes.try_into().ok().map(u64::from_ne_bytes)
}

/// Returns the error of an error message.
fn error(payload: &[u8]) -> Errno {
    ErrorBuffer::new_checked(payload)
        .ok()
        .and_then(|buffer| buffer.code())
        .map_or(Errno::BADMSG, |code| {
            Errno::from_raw_os_error(code.get().saturating_abs())
        })
}
