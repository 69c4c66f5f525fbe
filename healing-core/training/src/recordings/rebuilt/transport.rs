//! Connections of the clients, by the transport of a run.

use super::super::case::RecordedCase;
use crate::episode::spec::{Connections, PatienceFrom};

/// Connections of HAProxy to the server (`maxconn`).
const HAPROXY_CONNECTIONS: u32 = 50;

/// Transports and cases whose load is a Poisson process; the load of the others is evenly spaced, as the counts
/// in their `load.log` show.
const POISSON: [&str; 7] = [
    "ka100_",
    "kaU_",
    "kas5_",
    "_y08",
    "_nightbatch",
    "_slowok",
    "_poolslow",
];

/// Transport of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transport {
    /// Kept connections; absent if each request opens a new one.
    pub(super) connections: Option<Connections>,
    /// Set if the load generator spaces the requests evenly.
    pub(super) evenly: bool,
}

/// Returns the transport of a run; absent for one that is not simulated.
pub(super) fn transport(case: &RecordedCase) -> Option<Transport> {
    let timeout = case.client_timeout_seconds;
    let connections = |limit, patience_from, hides_leaving| {
        Some(Connections {
            limit,
            longest_wait: if hides_leaving {
                f64::INFINITY
            } else {
                timeout
            },
            patience_from,
            hides_leaving,
        })
    };
    let of_client = |limit| connections(limit, PatienceFrom::Call, false);
    let connections = match case.transport.as_deref() {
        None | Some("new") => None,
        Some("ka10") => of_client(10),
        Some("ka100") => of_client(100),
        Some("kaU" | "ng") => of_client(u32::MAX),
        Some("ngi") => connections(u32::MAX, PatienceFrom::Call, true),
        Some("kas5") => connections(5, PatienceFrom::Sending, false),
        Some("kas10") => connections(10, PatienceFrom::Sending, false),
        Some("ha") => connections(HAPROXY_CONNECTIONS, PatienceFrom::Call, true),
        Some("haA") => of_client(HAPROXY_CONNECTIONS),
        Some(_) => return None,
    };
    Some(Transport {
        connections,
        evenly: !POISSON.iter().any(|part| case.name.contains(part)),
    })
}
