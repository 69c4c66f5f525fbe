//! Sockets of the app's own port, read from the kernel without privileges and without the app's help.
//!
//! Requests that the app has not accepted or not read are demand that `/health` cannot show. The kernel
//! reports them to every process in the same network namespace.
//!
//! | figure | meaning |
//! |---|---|
//! | accept backlog | connections that wait for the app's `accept` |
//! | unread sockets and bytes | requests that wait for the app's `read`; those of clients that have left included |
//! | bytes received | size of the requests that arrive, for connections that carry several at once |
//!
//! # Hazards
//!
//! A queue of a client, of a connection pool or of a proxy in front of the pod is not visible here.

mod netlink;
pub(crate) mod probe_address;
mod received;
mod standing;
mod tally;
mod unreadable;

pub use self::standing::SocketReader;
pub use self::unreadable::Unreadable;
